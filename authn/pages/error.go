package pages

import (
	"errors"
	"net/http"
	"strconv"

	"gatehouse/internal/web"
)

// WriteError implements [web.Surface]. A page says what happened in the
// catalogue's words: the error's own message may come from anywhere.
func (p *Pages) WriteError(w http.ResponseWriter, r *http.Request, e *web.Error) {
	write := func() error { return p.failed(w, r, e) }
	if errors.Is(e, ErrNoFlow) {
		write = func() error { return p.expired(w, r, &Flow{}, e) }
	}
	if err := write(); err != nil {
		http.Error(w, http.StatusText(e.Status), e.Status)
	}
}

// failed shows the page of an error's status.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, e *web.Error) error {
	key := "error." + e.Code
	if _, known := english[key+".title"]; !known {
		key = "error." + strconv.Itoa(e.Status)
	}
	if _, known := english[key+".title"]; !known {
		key = "error.500"
		if e.Status < http.StatusInternalServerError {
			key = "error.400"
		}
	}
	texts := p.texts(r)
	view := struct {
		frame
		Text, Code, Reference string
	}{p.frame(r, key+".title", &Flow{}), texts.text(key + ".text"), e.Code, web.RequestID(r.Context())}
	view.Discreet = true
	return p.render(w, e.Status, "error", view.Flow, view)
}
