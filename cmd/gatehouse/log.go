package main

import (
	"bufio"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logFlush is how long a log line may wait in memory: a system call for each
// request costs more than the request's own work on a cached answer.
const logFlush = 100 * time.Millisecond

// newLogger returns the process's logger and the function that writes what it
// still holds.
func newLogger(c *Config, w io.Writer) (*slog.Logger, func()) {
	buffered := newBufferedWriter(w)
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // the grammar allows known levels only
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(buffered, options)), buffered.close
	}
	return slog.New(slog.NewJSONHandler(buffered, options)), buffered.close
}

// bufferedWriter gathers lines and writes them every logFlush.
type bufferedWriter struct {
	mu      sync.Mutex
	buffer  *bufio.Writer
	done    chan struct{}
	once    sync.Once
	flusher sync.WaitGroup
}

func newBufferedWriter(w io.Writer) *bufferedWriter {
	b := &bufferedWriter{buffer: bufio.NewWriterSize(w, 64<<10), done: make(chan struct{})}
	b.flusher.Go(b.run)
	return b
}

// Write implements io.Writer.
func (b *bufferedWriter) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *bufferedWriter) run() {
	ticker := time.NewTicker(logFlush)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.flush()
		case <-b.done:
			b.flush()
			return
		}
	}
}

func (b *bufferedWriter) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.buffer.Flush() // there is nowhere to report that the log cannot be written
}

func (b *bufferedWriter) close() {
	b.once.Do(func() { close(b.done) })
	b.flusher.Wait()
}
