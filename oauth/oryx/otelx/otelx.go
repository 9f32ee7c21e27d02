package otelx

import (
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// End ends a span, marked as failed when the function it is deferred in fails.
// The error's text stays out of the span: it may quote a request.
func End(span trace.Span, err *error) {
	if err != nil && *err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
