package storage

import (
	"encoding/json"
	"fmt"

	"gatehouse/directory"
	"gatehouse/oauth"
)

// clientMetadata is what the column of that name holds of a client.
type clientMetadata struct {
	oauth.Metadata
	Localised map[string]string `json:"localised,omitempty"`
}

func encodeClientMetadata(c *oauth.Client) (string, error) {
	encoded, err := json.Marshal(clientMetadata{c.Metadata, c.Localised})
	if err != nil {
		return "", fmt.Errorf("encode client metadata: %w", err)
	}
	return string(encoded), nil
}

func decodeClientMetadata(text string) (clientMetadata, error) {
	var m clientMetadata
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, fmt.Errorf("decode client metadata: %w", err)
	}
	return m, nil
}

// namesInto scans a client's metadata for its names in other languages.
func namesInto(w *directory.Wording) *namesScanner { return &namesScanner{w} }

type namesScanner struct{ w *directory.Wording }

// Scan implements sql.Scanner.
func (s *namesScanner) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("scan client metadata: unexpected %T", src)
	}
	m, err := decodeClientMetadata(text)
	s.w.In = (&oauth.Client{Localised: m.Localised}).Named().In
	return err
}
