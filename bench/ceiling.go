//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// playAnswer is the argument that makes this program the server of ceiling.
const playAnswer = "-answer-all"

// answerAll answers every request with two bytes. It listens on what it was
// given as its standard input.
func answerAll() error {
	listener, err := net.FileListener(os.Stdin)
	if err != nil {
		return err
	}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok"))
	}))
}

// ceiling compares the generator with wrk against a server that does next to
// nothing: were it slower than wrk, it and not the servers would be measured.
func (b *bench) ceiling(ctx context.Context) ([]row, error) {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		b.notes = append(b.notes, "ceiling: left out, for wrk is not installed (apt-get install wrk)")
		return nil, nil
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.CommandContext(ctx, "/proc/self/exe", playAnswer)
	command.Stdin, command.Stderr = file, os.Stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	}()
	address := listener.Addr().(*net.TCPAddr).AddrPort()
	own := func(ctx context.Context) (float64, error) {
		request := []byte("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		got, err := load{address: address, requests: [][]byte{request}, connections: connections, duration: b.span(), status: http.StatusOK}.run(ctx)
		if err != nil {
			return 0, err
		}
		return got.perSecond(), nil
	}
	theirs := func(ctx context.Context) (float64, error) {
		said, err := exec.CommandContext(ctx, wrk, "-t1", "-c"+strconv.Itoa(connections), fmt.Sprintf("-d%d", b.span()/time.Second), "http://"+address.String()+"/").Output()
		if err != nil {
			return 0, fmt.Errorf("wrk: %w", err)
		}
		match := regexp.MustCompile(`Requests/sec:\s*([0-9.]+)`).FindSubmatch(said)
		if match == nil {
			return 0, fmt.Errorf("wrk said no rate: %s", said)
		}
		return strconv.ParseFloat(string(match[1]), 64)
	}
	samples, err := turns(ctx, b, own, theirs)
	if err != nil {
		return nil, err
	}
	return []row{{What: "this load generator (in pawl's column)", Unit: perSecond, Pawl: samples[0], Beside: "wrk", Other: samples[1], Reach: reach{AtLeast: 0.95}}}, nil
}
