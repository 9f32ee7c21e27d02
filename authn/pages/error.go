package pages

import (
	"net/http"
	"strconv"

	"gatehouse/internal/web"
)

// WriteError implements [web.Surface]. A page says what happened in the
// catalogue's words: the error's own message may come from anywhere.
func (p *Pages) WriteError(w http.ResponseWriter, r *http.Request, e *web.Error) {
	key := "error." + strconv.Itoa(e.Status)
	if _, known := english[key+".title"]; !known {
		key = "error.500"
		if e.Status < http.StatusInternalServerError {
			key = "error.400"
		}
	}
	view := struct {
		frame
		Text, Code, Reference string
	}{p.frame(key+".title", &Flow{}), english.text(key + ".text"), e.Code, web.RequestID(r.Context())}
	if err := p.render(w, e.Status, "error", view.Flow, view); err != nil {
		http.Error(w, http.StatusText(e.Status), e.Status)
	}
}
