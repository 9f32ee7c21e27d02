package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Event is what the log says of one request. Handlers add to it with [Note];
// it is written once, when the request is answered. It names the route's
// pattern, never the path or the query, which may hold what must not be logged.
type Event struct {
	ID string
	// Method, Pattern, Status and Took are complete when the request has been
	// answered; Pattern is "" for a path that no route has.
	Method, Pattern string
	Status          int
	Took            time.Duration
	// Code and Reason say why the request was refused, see [NoteRefusal]; ""
	// where it was not, or where nobody is told more than the status.
	Code, Reason string

	start   time.Time
	network netip.Addr
	err     error
	attrs   []slog.Attr
}

// At is when the request was answered.
func (ev *Event) At() time.Time { return ev.start.Add(ev.Took) }

// Attr returns what a handler noted under a name; "" for nothing.
func (ev *Event) Attr(name string) string {
	for _, attr := range ev.attrs {
		if attr.Key == name {
			return attr.Value.String()
		}
	}
	return ""
}

type eventKey struct{}

func eventOf(ctx context.Context) *Event {
	ev, _ := ctx.Value(eventKey{}).(*Event)
	return ev
}

// withEvent returns a context with the event of the recorder that answers.
func withEvent(ctx context.Context, w http.ResponseWriter) context.Context {
	rec, ok := w.(*recorder)
	if !ok {
		rec = &recorder{ResponseWriter: w}
	}
	return context.WithValue(ctx, eventKey{}, &rec.event)
}

// Note adds attributes to the request's log event. They must not hold a secret,
// code, token, address or number.
func Note(ctx context.Context, attrs ...slog.Attr) {
	if ev := eventOf(ctx); ev != nil {
		ev.attrs = append(ev.attrs, attrs...)
	}
}

// RequestID returns the identifier of the request in ctx; "" outside one.
func RequestID(ctx context.Context) string {
	if ev := eventOf(ctx); ev != nil {
		return ev.ID
	}
	return ""
}

func (ev *Event) write(log *slog.Logger, r *http.Request) {
	level := slog.LevelInfo
	if ev.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !log.Enabled(r.Context(), level) {
		return
	}
	// A record made by hand leaves out the line of code, which is always this
	// one, and costs half of what a Logger's does.
	record := slog.NewRecord(ev.At(), level, "request", 0)
	record.AddAttrs(
		slog.String("request_id", ev.ID), slog.String("method", ev.Method), slog.String("route", ev.Pattern),
		slog.Int("status", ev.Status), slog.Duration("took", ev.Took))
	if ev.err != nil {
		record.AddAttrs(slog.String("error", ev.err.Error()))
	}
	record.AddAttrs(ev.attrs...)
	_ = log.Handler().Handle(r.Context(), record) // there is nowhere to report that the log cannot be written
}

// recorder remembers the status that was written.
type recorder struct {
	http.ResponseWriter
	event  Event
	status int
}

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return rec.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the real writer.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
