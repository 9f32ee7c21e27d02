package pages

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// Brands tells how organisations look; [directory.Brands] implements it.
type Brands interface {
	// Brand is nil where there is nothing to show of an organisation.
	Brand(ctx context.Context, organisation uuid.UUID) (*directory.Brand, error)
}

const maxBrandName = 100 // characters of an organisation's name on a page

// brand is an organisation at the head of a page.
type brand struct {
	Name   string
	Sheet  string // address of the style sheet of its colour; "" for our own colours
	Logo   string // address of its logo; "" for none
	Banner bool   // the logo stands on the colour, not on white
}

// brand is what pages show of an organisation; nil for nothing. Without its
// brand a page serves as well: what goes wrong here is only noted.
func (p *Pages) brand(ctx context.Context, organisation uuid.UUID) *brand {
	if organisation == uuid.Nil || p.Brands == nil {
		return nil
	}
	known, err := p.Brands.Brand(ctx, organisation)
	if err != nil {
		web.Note(ctx, slog.String("brand", err.Error()))
	}
	if err != nil || known == nil || brandName(known.Name) == "" {
		return nil
	}
	shown := &brand{Name: brandName(known.Name), Banner: known.Banner}
	if colour := readColour(known.Colour); colour != "" {
		shown.Sheet = "/branding/" + colour + ".css"
	}
	if p.Logos != nil && CheckLogo(p.Logos, known.Logo) == nil {
		shown.Logo = "/branding/logo/" + url.PathEscape(known.Logo)
	}
	return shown
}

// brandName is a name as far as it can be seen: without the characters that
// reorder or hide others, and of bounded length.
func brandName(name string) string {
	visible := []rune(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, strings.TrimSpace(name)))
	if len(visible) > maxBrandName {
		visible = append(visible[:maxBrandName-1], '…')
	}
	return string(visible)
}

// brandSheet serves the style sheet of a colour. Its address says all that is in
// it, so that the pages need no inline style and nothing is looked up.
func (p *Pages) brandSheet(w http.ResponseWriter, r *http.Request) error {
	colour, sheet := strings.CutSuffix(r.PathValue("sheet"), ".css")
	if !sheet || colour == "" || colour != readColour(colour) {
		return web.Errorf(http.StatusNotFound, "There is no such style sheet")
	}
	h := w.Header()
	h.Set("Content-Type", contentTypes[".css"])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = fmt.Fprintf(w, ":root{--gh-brand:#%s;--gh-on-brand:%s}\n", colour, textOn(colour)) // the client has gone when this fails
	return nil
}
