package webtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Document returns the API's description, checked by itself.
func Document(t testing.TB) *openapi3.T {
	t.Helper()
	return described(t).document
}

// CheckResponse fails the test when the response to a request is not one that
// the description has: its status, its media type, its headers and its body. What is
// not described must be 404 or 405. The response's body can still be read
// afterwards.
func CheckResponse(t testing.TB, req *http.Request, resp *http.Response) {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	asked := req.Clone(req.Context())
	if asked.Method == http.MethodHead {
		asked.Method, body = http.MethodGet, nil
	}
	route, params, err := described(t).router.FindRoute(asked)
	if errors.Is(err, routers.ErrPathNotFound) && resp.StatusCode == http.StatusNotFound ||
		errors.Is(err, routers.ErrMethodNotAllowed) && resp.StatusCode == http.StatusMethodNotAllowed {
		return
	}
	if err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL.Path, err)
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route},
		Status:                 resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: req.Method == http.MethodHead},
	}
	if err := openapi3filter.ValidateResponse(req.Context(), input); err != nil {
		t.Errorf("%s %s: %d is not as described: %v\n%s", req.Method, req.URL.Path, resp.StatusCode, err, body)
	}
}

func described(t testing.TB) *description {
	t.Helper()
	d, err := load()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return d
}

// description is openapi.yaml, read.
type description struct {
	document *openapi3.T
	router   routers.Router
}

// load reads the description once. It lies beside the program that serves it.
var load = sync.OnceValues(func() (*description, error) {
	for _, media := range []string{"text/html", "text/css", "image/svg+xml", "image/png", "image/x-icon", "application/jwt"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.PlainBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("application/jwk-set+json", openapi3filter.JSONBodyDecoder)
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromFile(filepath.Join(root, "cmd", "gatehouse", "openapi.yaml"))
	if err != nil {
		return nil, err
	}
	if err := document.Validate(loader.Context); err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		return nil, err
	}
	return &description{document, router}, nil
})

// moduleRoot is the directory with go.mod: tests run in their package's own.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", os.ErrNotExist
		}
		dir = parent
	}
}
