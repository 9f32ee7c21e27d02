package transfer

import (
	"bytes"
	"errors"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
)

// jsonReader reads one JSON object a line.
type jsonReader struct{ lines lineReader }

func (j *jsonReader) next() (raw, error) {
	for {
		text, err := j.lines.next()
		switch {
		case errors.Is(err, errRecordTooLong):
			return raw{line: j.lines.line, decode: func() (any, error) { return nil, errRecordTooLong }}, nil
		case err != nil:
			return raw{}, err
		case len(bytes.TrimSpace(text)) == 0:
			continue
		}
		own := bytes.Clone(text)
		return raw{line: j.lines.line, size: len(own), decode: func() (any, error) { return decodeJSON(own) }}, nil
	}
}

// decodeJSON reads a record whose member type says what it is of; by default a user.
func decodeJSON(text []byte) (any, error) {
	var head struct {
		Type       string `json:"type"`
		ExternalID string `json:"external_id"`
	}
	if err := jsonv2.Unmarshal(text, &head); err != nil {
		return nil, jsonFault(err)
	}
	record, err := newRecord(head.Type)
	if err != nil {
		return &UserRecord{ExternalID: head.ExternalID}, err
	}
	if err := jsonv2.Unmarshal(text, record, jsonv2.RejectUnknownMembers(true)); err != nil {
		return record, jsonFault(err)
	}
	return record, nil
}

// Kinds are what a file may hold, in the order in which they refer to each other.
var Kinds = []string{KindOrganisation, KindService, KindUser, KindMembership, KindProfile}

func newRecord(kind string) (any, error) {
	switch kind {
	case "", KindUser:
		return &UserRecord{}, nil
	case KindOrganisation:
		return &OrganisationRecord{}, nil
	case KindService:
		return &ServiceRecord{}, nil
	case KindMembership:
		return &MembershipRecord{}, nil
	case KindProfile:
		return &ProfileRecord{}, nil
	}
	return nil, errField("type", "Must be one of: "+strings.Join(Kinds, ", ")+".")
}

// jsonFault says where a record is wrong, but not what stood there: it may be a hash.
func jsonFault(err error) error {
	semantic, ok := errors.AsType[*jsonv2.SemanticError](err)
	switch {
	case !ok:
		return errors.New("malformed JSON")
	case errors.Is(err, jsonv2.ErrUnknownName):
		return errors.New("no such field: " + string(semantic.JSONPointer))
	}
	return errors.New("not of the right type: " + string(semantic.JSONPointer))
}
