//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// connection is one kept-alive connection that has one request under way.
type connection struct {
	fd      int // 0: not open
	number  int32
	request []byte
	unsent  []byte
	begun   time.Time
	answer  []byte // [:filled] is what has come of the answer
	filled  int
	waiting bool // for room to write
}

// open connects. The socket does not block from then on.
func (c *connection) open(address netip.AddrPort, epoll, number int) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.fd, c.number, c.answer = fd, int32(number), make([]byte, 4096)
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}); err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	return syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: c.number})
}

func (c *connection) close() {
	if c.fd != 0 {
		_ = syscall.Close(c.fd)
	}
}

// begin makes ready for the next request.
func (c *connection) begin() {
	c.unsent, c.filled, c.begun = c.request, 0, time.Now()
}

// write sends what the socket takes. When it takes no more, the epoll tells
// when it does.
func (c *connection) write(epoll int) error {
	for len(c.unsent) > 0 {
		n, err := syscall.Write(c.fd, c.unsent)
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			return fmt.Errorf("send a request: %w", err)
		}
		c.unsent = c.unsent[n:]
	}
	if waiting := len(c.unsent) > 0; waiting != c.waiting {
		c.waiting = waiting
		events := uint32(syscall.EPOLLIN)
		if waiting {
			events |= syscall.EPOLLOUT
		}
		return syscall.EpollCtl(epoll, syscall.EPOLL_CTL_MOD, c.fd, &syscall.EpollEvent{Events: events, Fd: c.number})
	}
	return nil
}

// read takes what has come, and gives the answer's status when it is whole,
// else 0.
func (c *connection) read() (int, error) {
	if c.filled == len(c.answer) {
		c.answer = append(c.answer, make([]byte, len(c.answer))...)
	}
	n, err := syscall.Read(c.fd, c.answer[c.filled:])
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read an answer: %w", err)
	case n == 0:
		return 0, fmt.Errorf("read an answer: the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	c.filled += n
	status, whole, err := parseAnswer(c.answer[:c.filled])
	if err != nil || !whole {
		return 0, err
	}
	if len(c.unsent) > 0 {
		return 0, fmt.Errorf("answered with %d before the request was sent", status)
	}
	return status, nil
}

// parseAnswer reads as much of an HTTP/1.1 answer as a load generator needs:
// its status, and whether it is whole.
func parseAnswer(answer []byte) (status int, whole bool, err error) {
	end := bytes.Index(answer, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, false, nil
	}
	head, body := answer[:end], answer[end+4:]
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, false, fmt.Errorf("no HTTP answer: %.100q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, false, fmt.Errorf("no HTTP status: %.100q", line)
	}
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err := strconv.Atoi(string(bytes.TrimSpace(value)))
			if err != nil {
				return 0, false, fmt.Errorf("no length: %.100q", line)
			}
			return status, len(body) >= length, nil
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return status, bytes.HasSuffix(body, []byte("0\r\n\r\n")), nil
		}
	}
	return status, status == 204 || status == 304, nil
}
