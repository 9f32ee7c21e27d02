package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"sync"
	"time"

	"gatehouse/internal/web"
)

//go:embed static
var staticFiles embed.FS

// asset is one embedded file and the hash that names its version.
type asset struct {
	content []byte
	version string
}

var assets = sync.OnceValue(func() map[string]asset {
	all := map[string]asset{}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		sum := sha256.Sum256(content)
		all[path.Base(name)] = asset{content, hex.EncodeToString(sum[:6])}
		return err
	})
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	return all
})

// contentTypes are those of the files there are; mime.TypeByExtension would
// depend on the machine.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

func assetURL(name string) string { return "/assets/" + name + "?v=" + assets()[name].version }

func (p *Pages) asset(w http.ResponseWriter, r *http.Request) error {
	return serveAsset(w, r, r.PathValue("name"))
}

func (p *Pages) favicon(w http.ResponseWriter, r *http.Request) error {
	return serveAsset(w, r, "icon.svg")
}

func (p *Pages) robots(w http.ResponseWriter, r *http.Request) error {
	return serveAsset(w, r, "robots.txt")
}

// serveAsset lets browsers keep a file for a year under the address of its
// version, and ask again each time under its plain name.
func serveAsset(w http.ResponseWriter, r *http.Request, name string) error {
	file, ok := assets()[name]
	if !ok {
		return web.Errorf(http.StatusNotFound, "There is no such file")
	}
	h := w.Header()
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("ETag", `"`+file.version+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.RawQuery == "v="+file.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.content))
	return nil
}
