package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/web"
)

//go:embed static
var staticFiles embed.FS

// asset is one embedded file and the hash that names its version.
type asset struct {
	content []byte
	zipped  []byte // with gzip
	version string
}

var assets = sync.OnceValue(func() map[string]asset {
	all := map[string]asset{}
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		zipped, err := zip(content)
		all[path.Base(name)] = asset{content, zipped, hex.EncodeToString(sum[:6])}
		return err
	})
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	return all
})

// zip compresses a file, once for all who ask for it. Pages are never compressed:
// they hold secrets beside what somebody else may have put there (CVE-2013-3587).
func zip(content []byte) ([]byte, error) {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	err = w.Close()
	return zipped.Bytes(), err
}

// takesGzip reports whether an Accept-Encoding header names gzip and does not
// refuse it (RFC 9110 section 12.5.3).
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, parameter, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			weight, given := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
			q, err := strconv.ParseFloat(weight, 64)
			return !given || err == nil && q > 0
		}
	}
	return false
}

// contentTypes are those of the files there are; mime.TypeByExtension would
// depend on the machine.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".jpeg": "image/jpeg",
	".jpg":  "image/jpeg",
	".js":   "text/javascript; charset=utf-8",
	".png":  "image/png",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
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
	h, content, tag := w.Header(), file.content, file.version
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		content, tag = file.zipped, tag+"-gzip"
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Type", contentTypes[path.Ext(name)])
	h.Set("ETag", `"`+tag+`"`) // of one encoding (RFC 9110 section 8.8.3)
	h.Set("Cache-Control", "no-cache")
	if r.URL.RawQuery == "v="+file.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return nil
}
