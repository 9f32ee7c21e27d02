package message

import (
	"context"
	"io"
	"net/http"
	"time"
)

// The bounds of an exchange with a service that takes messages.
const (
	postTimeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that the connection
	// can be used again. What it says is not looked at: it may quote the recipient.
	maxAnswer       = 16 << 10
	maxAnswerHeader = 16 << 10
	userAgent       = "Gatehouse"
)

// NewHTTPClient returns the client of the senders that post. It goes where the
// operator says, which may be a private address or through a proxy of the
// environment, and follows no redirect: what is sent is for one service alone.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: DefaultParallel,
			TLSHandshakeTimeout: postTimeout, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: maxAnswerHeader,
		},
	}
}

// post sends a request and returns the status of the answer. No error of
// net/http leaves this function, since each quotes the URL.
func post(ctx context.Context, client *http.Client, r *http.Request) (status int, err error) {
	r.Header.Set("User-Agent", userAgent)
	response, err := client.Do(r.WithContext(ctx))
	if err != nil {
		return 0, &SendError{Reason: ReasonUnreachable}
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // the status is the answer
	return response.StatusCode, nil
}

// created reads the answer of an API that takes a message with 201 and nothing
// else: another 2xx comes from somebody in between, who has not sent anything.
func created(status int) error {
	if status == http.StatusCreated {
		return nil
	}
	return refusedBy(status)
}

// refusedBy says what a status other than success means. Only what the message
// is at fault for is permanent.
func refusedBy(status int) error {
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return &SendError{Reason: ReasonDeferred, Code: status}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		// The operator's to put right, and until then no message need be lost.
		return &SendError{Reason: ReasonUnauthorised, Code: status}
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		return &SendError{Reason: ReasonRefused, Permanent: true, Code: status}
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return &SendError{Reason: ReasonRedirected, Permanent: true, Code: status}
	default:
		return &SendError{Reason: ReasonDeferred, Code: status}
	}
}
