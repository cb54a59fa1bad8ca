package wechat

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The InfoType of the messages that the platform pushes to a third-party platform.
const (
	InfoTicket       = "component_verify_ticket"
	InfoAuthorized   = "authorized"
	InfoUpdated      = "updateauthorized"
	InfoUnauthorized = "unauthorized"
)

// ComponentEvent is a message that is pushed to a third-party platform, as the pages of
// component_verify_ticket and of changes of an authorisation have it. Members that an
// InfoType has not are empty.
type ComponentEvent struct {
	AppID      string `xml:"AppId"` // of the third-party platform
	CreateTime int64  // Unix seconds
	InfoType   string

	ComponentVerifyTicket string

	AuthorizerAppID              string `xml:"AuthorizerAppid"`
	AuthorizationCode            string
	AuthorizationCodeExpiredTime int64 // Unix seconds
	PreAuthCode                  string
}

// AppendXML writes the event as it is encrypted.
func (e *ComponentEvent) AppendXML(dst []byte) []byte {
	text := func(name, value string) {
		if value != "" {
			dst = fmt.Appendf(dst, "<%s><![CDATA[%s]]></%s>\n", name, strings.ReplaceAll(value, "]]>", "]]]]><![CDATA[>"), name)
		}
	}
	dst = append(dst, "<xml>\n"...)
	text("AppId", e.AppID)
	dst = fmt.Appendf(dst, "<CreateTime>%d</CreateTime>\n", e.CreateTime)
	text("InfoType", e.InfoType)
	text("ComponentVerifyTicket", e.ComponentVerifyTicket)
	text("AuthorizerAppid", e.AuthorizerAppID)
	text("AuthorizationCode", e.AuthorizationCode)
	if e.AuthorizationCodeExpiredTime != 0 {
		dst = fmt.Appendf(dst, "<AuthorizationCodeExpiredTime>%d</AuthorizationCodeExpiredTime>\n", e.AuthorizationCodeExpiredTime)
	}
	text("PreAuthCode", e.PreAuthCode)
	return append(dst, "</xml>"...)
}

// ParseComponentEvent reads an event that was decrypted.
func ParseComponentEvent(message []byte) (*ComponentEvent, error) {
	e := &ComponentEvent{}
	if err := xml.Unmarshal(message, e); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	return e, nil
}

// MessageCipher encrypts and decrypts what passes between the platform and a third-party
// platform, as the technical page on message encryption has it: AES-256-CBC under the
// AESKey, whose first half is the initial vector too, and a signature made with the
// message token.
type MessageCipher struct {
	appID, token string
	key          []byte
}

// The sizes of encrypted messages, in bytes.
const (
	paddedTo   = 32       // PKCS#7 to blocks of this, not AES' own
	frontSize  = 16 + 4   // random bytes and the length
	maxMessage = 64 << 10 // of a pushed body that is read
)

// NewMessageCipher takes the third-party platform's appid, message token and AES key. An
// AES key has 43 characters, which are base64 without the last `=`.
func NewMessageCipher(appID, token, aesKey string) (*MessageCipher, error) {
	if err := CheckAESKey(aesKey); err != nil {
		return nil, err
	}
	key, _ := base64.StdEncoding.DecodeString(aesKey + "=")
	return &MessageCipher{appID, token, key}, nil
}

// CheckAESKey tells what is wrong with an AES key, without its text.
func CheckAESKey(aesKey string) error {
	if key, err := base64.StdEncoding.DecodeString(aesKey + "="); len(aesKey) != 43 || err != nil || len(key) != 32 {
		return errors.New("an AES key has 43 letters, digits, + and /")
	}
	return nil
}

// NewAESKey makes an AES key of letters and digits, such as the platform's console does.
func NewAESKey() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	key := make([]byte, 0, 43)
	for len(key) < 43 {
		var b [64]byte
		rand.Read(b[:])
		for _, c := range b {
			if int(c) < len(letters)*4 && len(key) < 43 { // the rest would favour some
				key = append(key, letters[int(c)%len(letters)])
			}
		}
	}
	return string(key)
}

// readEnvelope gives the Encrypt of a pushed message's body: one element with elements of
// text, and nothing below them.
func readEnvelope(data []byte) (encrypted string, err error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, in, found := 0, false, false
	var text []byte
	for {
		token, err := d.Token()
		if err == io.EOF && found {
			return string(text), nil
		}
		if err != nil {
			return "", errDamaged
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth > 2 || len(token.Attr) > 0 {
				return "", errDamaged
			}
			if in = depth == 2 && token.Name.Local == "Encrypt"; in {
				if found {
					return "", errDamaged
				}
				found = true
			}
		case xml.EndElement:
			depth, in = depth-1, false
		case xml.CharData:
			if in {
				text = append(text, token...)
			}
		}
	}
}

// Seal encrypts a message. It gives the query and the body of the request that carries it.
func (c *MessageCipher) Seal(message []byte, timestamp int64) (query url.Values, body []byte) {
	var nonce [8]byte
	rand.Read(nonce[:])
	encrypted := c.encrypt(message)
	query = url.Values{
		"timestamp":    {strconv.FormatInt(timestamp, 10)},
		"nonce":        {strconv.FormatUint(binary.BigEndian.Uint64(nonce[:]), 10)},
		"encrypt_type": {"aes"},
	}
	query.Set("signature", c.signature(query.Get("timestamp"), query.Get("nonce")))
	query.Set("msg_signature", c.signature(query.Get("timestamp"), query.Get("nonce"), encrypted))
	body = fmt.Appendf(nil, "<xml>\n<AppId><![CDATA[%s]]></AppId>\n<Encrypt><![CDATA[%s]]></Encrypt>\n</xml>", c.appID, encrypted)
	return query, body
}

func (c *MessageCipher) encrypt(message []byte) string {
	plain := make([]byte, frontSize, frontSize+len(message)+len(c.appID)+paddedTo)
	rand.Read(plain[:16])
	binary.BigEndian.PutUint32(plain[16:], uint32(len(message)))
	plain = append(append(plain, message...), c.appID...)
	pad := paddedTo - len(plain)%paddedTo
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(c.block(), c.key[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}

// Why Open refuses a message.
var (
	errSignature = errors.New("the message's signature is wrong")
	errDamaged   = errors.New("the message is damaged, or encrypted for somebody else")
)

// Open decrypts a pushed message from the query and the body of its request. The
// signature is checked before anything is decrypted. A body of more than 64 KiB is
// refused; whatever it is, all that is allocated for it stays below 4 MiB.
func (c *MessageCipher) Open(query url.Values, body io.Reader) (message []byte, err error) {
	data, err := io.ReadAll(io.LimitReader(body, maxMessage+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxMessage {
		return nil, errDamaged
	}
	encrypted, err := readEnvelope(data)
	if err != nil {
		return nil, err
	}
	want := c.signature(query.Get("timestamp"), query.Get("nonce"), encrypted)
	if subtle.ConstantTimeCompare([]byte(query.Get("msg_signature")), []byte(want)) != 1 {
		return nil, errSignature
	}
	return c.decrypt(encrypted)
}

func (c *MessageCipher) decrypt(encrypted string) ([]byte, error) {
	plain, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(plain) < paddedTo || len(plain)%aes.BlockSize != 0 {
		return nil, errDamaged
	}
	cipher.NewCBCDecrypter(c.block(), c.key[:aes.BlockSize]).CryptBlocks(plain, plain)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > paddedTo || len(plain)-pad < frontSize {
		return nil, errDamaged
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errDamaged
		}
	}
	plain = plain[16 : len(plain)-pad]
	size := uint64(binary.BigEndian.Uint32(plain))
	plain = plain[4:]
	if size > uint64(len(plain)) || string(plain[size:]) != c.appID {
		return nil, errDamaged
	}
	return plain[:size:size], nil
}

func (c *MessageCipher) block() cipher.Block {
	block, err := aes.NewCipher(c.key)
	if err != nil {
		panic(err) // the key's size was checked
	}
	return block
}

// signature is the SHA-1 of the token and the parts, sorted and joined, in hex.
func (c *MessageCipher) signature(parts ...string) string {
	parts = append(parts, c.token)
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// maxReply is how much of an answer to a push is looked at.
const maxReply = 1 << 10

// Push posts a message to a third-party platform's address and wants the answer
// `success`. client should not follow redirects and should have a time limit. An error
// tells what was answered instead; never the address' query, which is signed.
func (c *MessageCipher) Push(ctx context.Context, client *http.Client, address string, message []byte, timestamp int64) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the push address is no URL")
	}
	query, body := c.Seal(message, timestamp)
	own := u.Query()
	for name, values := range query {
		own[name] = values
	}
	u.RawQuery = own.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the push address is no URL")
	}
	req.Header.Set("Content-Type", "text/xml")
	res, err := client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return err
	}
	if text := strings.TrimSpace(string(reply)); res.StatusCode != http.StatusOK || text != "success" {
		return fmt.Errorf("answered %d %.80q where 200 and success are wanted", res.StatusCode, text)
	}
	return nil
}
