package pages

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"

	"gatehouse/internal/web"
)

const maxLogo = 1 << 20 // bytes

// logoName is the name of a file, of a kind that browsers show as an image.
var logoName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,190}\.(png|jpe?g|svg)$`)

// CheckLogo says why no page shows the file of a name as a logo. It is nil for one
// that pages show.
func CheckLogo(logos fs.FS, name string) error {
	if !logoName.MatchString(name) {
		return errors.New("is not named with letters, digits, spaces, '.', '_' and '-', ending in .png, .jpg, .jpeg or .svg")
	}
	info, err := fs.Stat(logos, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("is not there")
	case err != nil:
		return errors.New("cannot be read")
	case !info.Mode().IsRegular():
		return errors.New("is no file")
	case info.Size() > maxLogo:
		return fmt.Errorf("is larger than %d bytes", maxLogo)
	}
	return checkImage(logos, name)
}

// checkImage looks at how a file begins: what is none of its kind would be shown
// as a broken image.
func checkImage(logos fs.FS, name string) error {
	file, err := logos.Open(name)
	if err != nil {
		return errors.New("cannot be read")
	}
	defer func() { _ = file.Close() }() // which was only read
	kind := contentTypes[path.Ext(name)]
	if kind == contentTypes[".svg"] {
		return checkSVG(file)
	}
	const enough = 512 // bytes, more than which the sniffing of browsers does not look at
	start, err := io.ReadAll(io.LimitReader(file, enough))
	if err != nil || http.DetectContentType(start) != kind {
		return fmt.Errorf("is no image of the type %s", kind)
	}
	return nil
}

// checkSVG reads as far as the first element, which names the kind of document.
func checkSVG(file io.Reader) error {
	d := xml.NewDecoder(io.LimitReader(file, maxLogo))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // its name is ASCII in all of them
	for {
		token, err := d.RawToken()
		if err != nil {
			return errors.New("is no SVG document")
		}
		if element, ok := token.(xml.StartElement); ok {
			if element.Name.Local != "svg" {
				return errors.New("is no SVG document")
			}
			return nil
		}
	}
}

// logo serves the logo of an organisation, which must do nothing where somebody
// opens it as a page of ours: an SVG file can hold scripts.
func (p *Pages) logo(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if p.Logos == nil || CheckLogo(p.Logos, name) != nil {
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
