package pages

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"regexp"
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

const (
	maxBrandName = 100     // characters of an organisation's name on a page
	maxLogo      = 1 << 20 // bytes of a logo
)

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
	if p.hasLogo(known.Logo) {
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

// logoName is the name of a file, of a kind that browsers show as an image.
var logoName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,190}\.(png|jpe?g|svg)$`)

func (p *Pages) hasLogo(name string) bool {
	if p.Logos == nil || !logoName.MatchString(name) {
		return false
	}
	info, err := fs.Stat(p.Logos, name)
	return err == nil && info.Mode().IsRegular() && info.Size() <= maxLogo
}

// logo serves the logo of an organisation, which must do nothing where somebody
// opens it as a page of ours: an SVG file can hold scripts.
func (p *Pages) logo(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if !p.hasLogo(name) {
		return web.Errorf(http.StatusNotFound, "There is no such logo")
	}
	content, err := fs.ReadFile(p.Logos, name)
	if err != nil {
		return fmt.Errorf("read logo: %w", err)
	}
	info, err := fs.Stat(p.Logos, name)
	if err != nil {
		return fmt.Errorf("read logo: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "public, max-age=30")
	http.ServeContent(w, r, name, info.ModTime(), bytes.NewReader(content))
	return nil
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
