package oauth

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/web"
)

// formType is the one media type that the endpoints read.
const formType = "application/x-www-form-urlencoded"

// readForm parses the form in a request's body and returns its parameters: each
// at most once, none empty (RFC 6749 section 3.2). The query counts for nothing.
func readForm(r *http.Request) (url.Values, error) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != formType {
		return nil, refuse("invalid_request", "The request body must be "+formType)
	}
	if err := parseForm(r); err != nil {
		return nil, err
	}
	return parameters(r.PostForm)
}

// parseForm is http.Request.ParseForm with an error for the caller.
func parseForm(r *http.Request) error {
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return err
	default:
		return &web.Error{Status: http.StatusBadRequest, Code: "invalid_request", Message: "The request's parameters are malformed", Cause: err}
	}
}

// repeatable is the one parameter that may be there twice (RFC 8707 section 2).
const repeatable = "resource"

// parameters returns the values that are not empty. A parameter that is there
// twice is refused, because two readers may differ on which one counts.
func parameters(values url.Values) (url.Values, error) {
	kept := make(url.Values, len(values))
	for name, all := range values {
		if len(all) > 1 && name != repeatable {
			return nil, refuse("invalid_request", "A parameter is repeated")
		}
		for _, value := range all {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return nil, refuse("invalid_request", "A parameter holds a character that is not allowed")
			}
			if value != "" {
				kept.Add(name, value)
			}
		}
	}
	return kept, nil
}
