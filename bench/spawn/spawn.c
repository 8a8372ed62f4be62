/*
 * spawn PROGRAM COUNT WIDTH: the least that running a program COUNT times can
 * cost. It keeps WIDTH of them running at a time, each started with
 * posix_spawn and waited for by a thread of its own, and prints the seconds
 * that all of them took. No pipes, no time-outs, no record of anything: what a
 * server does besides is what it costs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static char *program;
static atomic_long left;

static void *work(void *unused)
{
	char *argv[] = { program, NULL };

	while (atomic_fetch_sub(&left, 1) > 0) {
		pid_t pid;
		int status;
		int err = posix_spawn(&pid, program, NULL, NULL, argv, environ);

		if (err != 0) {
			fprintf(stderr, "spawn: start %s: %s\n", program, strerror(err));
			exit(1);
		}
		while (waitpid(pid, &status, 0) < 0) {
			if (errno != EINTR) {
				perror("spawn: waitpid");
				exit(1);
			}
		}
		if (status != 0) {
			fprintf(stderr, "spawn: %s ended with status %d\n", program, status);
			exit(1);
		}
	}
	return unused;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: spawn PROGRAM COUNT WIDTH\n");
		return 2;
	}
	program = argv[1];
	atomic_store(&left, atol(argv[2]));
	long width = atol(argv[3]);
	if (atomic_load(&left) < 1 || width < 1 || width > 1024) {
		fprintf(stderr, "spawn: COUNT must be 1 or more, WIDTH 1 to 1024\n");
		return 2;
	}
	pthread_t threads[1024];
	double begin = now();

	for (long i = 0; i < width; i++) {
		int err = pthread_create(&threads[i], NULL, work, NULL);

		if (err != 0) {
			fprintf(stderr, "spawn: thread: %s\n", strerror(err));
			return 1;
		}
	}
	for (long i = 0; i < width; i++)
		pthread_join(threads[i], NULL);
	printf("%.6f\n", now() - begin);
	return 0;
}
