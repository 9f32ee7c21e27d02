package pagestest

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
)

// Keep writes a screenshot of the whole page to the directory that
// GATEHOUSE_TEST_SCREENSHOTS names, for people to look at.
func (b *Browser) Keep(name string) {
	b.t.Helper()
	if dir := os.Getenv("GATEHOUSE_TEST_SCREENSHOTS"); dir != "" {
		b.Picture(filepath.Join(dir, name+".png"))
	}
}

// Picture writes a screenshot of the whole page to a file.
func (b *Browser) Picture(path string) {
	b.t.Helper()
	picture, err := png.Decode(bytes.NewReader(get(b, chromedp.FullScreenshot(100))))
	if err != nil {
		b.t.Fatal(err)
	}
	write(b.t, path, picture)
}

// Retouch replaces the text of an element that differs from run to run.
func (b *Browser) Retouch(selector, text string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector(` + strconv.Quote(selector) + `).textContent = ` + strconv.Quote(text)))
}

// maxColours are enough for a page of text; each takes half a byte.
const maxColours = 16

// write keeps the colours that tell most, and a fifth of the bytes.
func write(t testing.TB, path string, picture image.Image) {
	t.Helper()
	var encoded bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&encoded, inPalette(picture)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, encoded.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func inPalette(picture image.Image) *image.Paletted {
	counts := map[color.RGBA]int{}
	bounds := picture.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	indexes := map[color.RGBA]uint8{}
	small := image.NewPaletted(bounds, telling(counts))
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			index, known := indexes[c]
			if !known {
				index = uint8(small.Palette.Index(c))
				indexes[c] = index
			}
			small.SetColorIndex(x, y, index)
		}
	}
	return small
}

// telling returns [maxColours] at most: one after the other that which most dots
// would be furthest from without it. Of two that are alike the darker comes
// first, so that one page makes one file.
func telling(counts map[color.RGBA]int) color.Palette {
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	off := make([]int, len(all)) // from the nearest that is chosen, squared
	for i := range off {
		off[i] = 3 * 255 * 255
	}
	var palette color.Palette
	for len(palette) < min(len(all), maxColours) {
		best := 0
		for i, c := range all {
			if counts[c]*off[i] > counts[all[best]]*off[best] {
				best = i
			}
		}
		chosen := all[best]
		palette = append(palette, chosen)
		for i, c := range all {
			r, g, b := int(c.R)-int(chosen.R), int(c.G)-int(chosen.G), int(c.B)-int(chosen.B)
			off[i] = min(off[i], r*r+g*g+b*b)
		}
	}
	return palette
}
