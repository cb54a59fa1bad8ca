package cloudcall

import (
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxPairs bounds how many arguments a call may have. The methods know three.
const maxPairs = 64

// commAPIData is the message in which a call comes:
//
//	CommApiData   1 apiType enum (0 OPEN_API)  2 openapiData OpenApiData  6 appid string
//	OpenApiData   1 repeated KeyValuePair
//	KeyValuePair  1 key string  2 value bytes  3 contenttype string  4 filename string
type commAPIData struct {
	appID string // of the account that the call is for; "": the owner of the environment
	pairs []pair
}

// pair is one argument: its name, and its value as JSON, or as the bytes of a file.
type pair struct {
	key   string
	value []byte
	file  bool
}

var (
	errBroken  = errors.New("the protobuf message is broken")
	errAPIType = errors.New("apiType is not OPEN_API, the only one that is served")
	errPairs   = fmt.Errorf("more than %d arguments", maxPairs)
)

// parseCommAPIData reads the message. Unknown fields are ignored; as everywhere in
// protobuf, the last of a field that comes once counts, and messages that come in pieces
// are one.
func parseCommAPIData(data []byte) (*commAPIData, error) {
	m, apiType := &commAPIData{}, uint64(0)
	err := fields(data, func(number protowire.Number, varint uint64, bytes []byte) error {
		switch {
		case number == 1 && bytes == nil:
			apiType = varint
		case number == 2 && bytes != nil:
			return m.parsePairs(bytes)
		case number == 6 && bytes != nil:
			m.appID = string(bytes)
		}
		return nil
	})
	if err == nil && apiType != 0 {
		err = errAPIType
	}
	return m, err
}

func (m *commAPIData) parsePairs(data []byte) error {
	return fields(data, func(number protowire.Number, _ uint64, bytes []byte) error {
		if number != 1 || bytes == nil {
			return nil
		}
		if len(m.pairs) == maxPairs {
			return errPairs
		}
		var p pair
		err := fields(bytes, func(number protowire.Number, _ uint64, bytes []byte) error {
			switch {
			case number == 1:
				p.key = string(bytes)
			case number == 2:
				p.value = bytes
			case number == 4:
				p.file = len(bytes) > 0
			}
			return nil
		})
		m.pairs = append(m.pairs, p)
		return err
	})
}

// fields hands out each field of a message: varint of a number, bytes, never nil, of
// what has a length. Others are passed over. The bytes are part of data.
func fields(data []byte, each func(number protowire.Number, varint uint64, bytes []byte) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return errBroken
		}
		data = data[n:]
		var varint uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(data)
		case protowire.StartGroupType, protowire.EndGroupType: // which nest, and nobody sends
			return errBroken
		default:
			n = protowire.ConsumeFieldValue(number, kind, data)
		}
		if n < 0 {
			return errBroken
		}
		data = data[n:]
		if kind != protowire.VarintType && bytes == nil {
			continue
		}
		if err := each(number, varint, bytes); err != nil {
			return err
		}
	}
	return nil
}

// arguments gives the body that the call has over HTTPS. A file, or a value that is no
// JSON, makes it one that is refused there, as a body that cannot be read.
func (m *commAPIData) arguments() []byte {
	body := []byte{'{'}
	for i, p := range m.pairs {
		if p.file || !json.Valid(p.value) {
			return []byte{'{'}
		}
		key, err := json.Marshal(p.key)
		if err != nil {
			return []byte{'{'}
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, key...), ':'), p.value...)
	}
	return append(body, '}')
}

// The answer is a message too:
//
//	CommOpenApiResp  1 respData bytes  2 contentType string  3 errorCode int32  4 httpCode uint32

// respHead begins an answer whose respData, of so many bytes, follows.
func respHead(size int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.BytesType), uint64(size))
}

// respTail ends it. Without a contentType the package takes an error for a success.
func respTail(contentType string) []byte {
	b := protowire.AppendTag(nil, 2, protowire.BytesType)
	b = protowire.AppendString(b, contentType)
	b = protowire.AppendTag(b, 4, protowire.VarintType)
	return protowire.AppendVarint(b, 200)
}

// appendErrorCode writes an answer that is an error of the gateway and nothing else.
func appendErrorCode(b []byte, code int32) []byte {
	b = protowire.AppendTag(b, 3, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(int64(code)))
}
