package pages

import (
	"fmt"
	"testing"
)

// TestEveryColourCanBeReadOn tries a grid over all of them, and every grey,
// against the 4.5:1 of WCAG 2.2 section 1.4.3.
func TestEveryColourCanBeReadOn(t *testing.T) {
	colours := make([]string, 0, 16*16*16+256)
	for i := range 16 * 16 * 16 {
		colours = append(colours, fmt.Sprintf("#%03X", i))
	}
	for i := range 256 {
		colours = append(colours, fmt.Sprintf("%02x%02x%02x", i, i, i))
	}
	for _, text := range colours {
		colour := readColour(text)
		on := luminance(readColour(textOn(colour)))
		if got := contrast(max(on, luminance(colour)), min(on, luminance(colour))); got < 4.5 {
			t.Errorf("%s: %.2f:1", text, got)
		}
	}
}
