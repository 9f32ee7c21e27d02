package webtest

import "testing"

func TestDescriptionIsValid(t *testing.T) {
	if Document(t).Paths.Len() == 0 {
		t.Error("the description has no path")
	}
}
