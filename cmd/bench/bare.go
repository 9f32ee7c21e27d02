package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
)

// bareCommand is the argument that makes this program the bare handler. It is a
// process of its own, so that its processor time can be told from ours.
const bareCommand = "bare"

const bareDocument = `{"status":"ok","service":"bare","version":"1.0.0"}` + "\n"

// serveBare is the least that an HTTP server in Go does.
func serveBare() error {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(bareDocument))
	}))
}

func (b *bench) measureBare(ctx context.Context) (*measurement, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, exec.CommandContext(ctx, self, bareCommand), filepath.Join(b.dir, "bare.log"))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	return b.measure(ctx, p, testCase{name: "bare handler", path: "/"})
}
