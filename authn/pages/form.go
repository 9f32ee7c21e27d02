package pages

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/web"
)

// fields are the values of a form or a query, one for each name.
type fields map[string]string

// readForm reads a form from the body alone: r.FormValue would also take a
// password from the URL, where logs and histories keep it.
func readForm(r *http.Request) (fields, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, web.Errorf(http.StatusUnsupportedMediaType, "A form must be sent as application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return parseFields(string(body))
}

// readQuery reads the query by the same rules.
func readQuery(r *http.Request) (fields, error) { return parseFields(r.URL.RawQuery) }

func parseFields(encoded string) (fields, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, &web.Error{Status: http.StatusBadRequest, Code: "malformed_form", Message: "The form is malformed", Cause: err}
	}
	form := make(fields, len(values))
	for name, all := range values {
		if len(all) > 1 {
			return nil, &web.Error{Status: http.StatusBadRequest, Code: "repeated_field", Message: "A field was sent twice"}
		}
		// PostgreSQL stores no NUL, and nobody types one.
		if !utf8.ValidString(all[0]) || strings.ContainsRune(all[0], 0) {
			return nil, &web.Error{Status: http.StatusBadRequest, Code: "bad_character", Message: "A field holds a character that no field may hold"}
		}
		form[name] = all[0]
	}
	return form, nil
}
