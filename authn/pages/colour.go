package pages

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

var (
	longColour  = regexp.MustCompile(`^#?[0-9a-f]{6}$`)
	shortColour = regexp.MustCompile(`^#?([0-9a-f])([0-9a-f])([0-9a-f])$`)
)

// readColour returns a colour as six digits, such as "1d70b8" for "#1D70B8";
// "" for what is none that pages can take.
func readColour(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if longColour.MatchString(text) {
		return strings.TrimPrefix(text, "#")
	}
	if shortColour.MatchString(text) {
		return shortColour.ReplaceAllString(text, "$1$1$2$2$3$3")
	}
	return ""
}

// textOn is the colour of a text on a background of six digits: black or white,
// whichever can be read more easily. One of both has a contrast of 4.58:1 or
// more on every colour, above the 4.5:1 of WCAG 2.2 section 1.4.3.
func textOn(colour string) string {
	if contrast(luminance(colour), 0) >= contrast(1, luminance(colour)) {
		return "#000000"
	}
	return "#ffffff"
}

// contrast is the contrast ratio of two luminances, the lighter one first.
func contrast(lighter, darker float64) float64 { return (lighter + 0.05) / (darker + 0.05) }

// luminance is the relative luminance of a colour of six digits, 0 to 1 (WCAG 2.2).
func luminance(colour string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		value, _ := strconv.ParseUint(colour[2*i:2*i+2], 16, 8) // which readColour made
		sum += weight * linear(float64(value)/255)
	}
	return sum
}

// linear undoes the gamma of sRGB.
func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
