package evidence

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed files
var media embed.FS

// expand fills in a request: ${NAME} is a variable, ${word*1000} that word so many times,
// and @name the bytes of a file of ours, @name:1000 with zeros behind them up to so many.
func expand(text string, variable func(name string) (string, error)) (out string, err error) {
	out = placeholder.ReplaceAllStringFunc(text, func(p string) string {
		inner := p[2 : len(p)-1]
		if i := strings.LastIndexByte(inner, '*'); i > 0 {
			n, e := strconv.Atoi(inner[i+1:])
			if e != nil {
				err = fmt.Errorf("%s: %w", p, e)
			}
			return strings.Repeat(inner[:i], n)
		}
		value, e := variable(inner)
		if e != nil && err == nil {
			err = e
		}
		return value
	})
	if err != nil {
		return "", err
	}
	return fileName.ReplaceAllStringFunc(out, func(p string) string {
		data, e := fileBytes(p)
		if e != nil && err == nil {
			err = e
		}
		return string(data)
	}), err
}

var (
	placeholder = regexp.MustCompile(`\$\{[^}]*\}`)
	fileName    = regexp.MustCompile(`@(picture|animated|bare|plain|voice|front)\.[a-z0-9]+(:[0-9]+)?`)
)

// fileBytes gives the bytes that @name or @name:size stands for.
func fileBytes(name string) ([]byte, error) {
	name, size, padded := strings.Cut(strings.TrimPrefix(name, "@"), ":")
	data, err := media.ReadFile("files/" + name)
	if err != nil || !padded {
		return data, err
	}
	n, err := strconv.Atoi(size)
	if err != nil || n < len(data) {
		return nil, fmt.Errorf("@%s:%s: %v", name, size, err)
	}
	return append(data, make([]byte, n-len(data))...), nil
}

// classes are what ${NAME:class} may stand for in an answer.
var classes = map[string]string{
	"id":    `(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{64}|[0-9]{1,20})`,
	"token": `[0-9]{1,3}_[A-Za-z0-9_-]{136,157}`,
	"int":   `[0-9]+`,
	"time":  `1[0-9]{9}`,
	"hex32": `[0-9a-f]{32}`,
	"url":   `https?:(?:\\?/){2}[^"]+`,
	"rid":   `[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}`,
	"text":  `(?:[^"\\]|\\.)*`,
	"any":   `(?s:.*)`,
}

// The suffixes that the live service adds to an errmsg: its gateway and its back end.
const (
	gate = ` rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}`
	back = ` hint: \[[A-Za-z0-9._!-]*\]` + gate
)

// The text of 40001, as the documents print it and as the live service sends it.
const (
	documentedCredential = "invalid credential access_token isinvalid or not latest"
	liveCredential       = "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, " +
		"more details at https://mmbizurl.cn/s/JtxxFh33r"
)

// pattern makes a regular expression of an expected answer. slashed says that literal
// slashes come escaped, as the live service's do.
func pattern(text string, live, slashed bool, variable func(name string) (string, error)) (*regexp.Regexp, error) {
	var out strings.Builder
	var err error
	quote := func(s string) string {
		if slashed {
			s = strings.ReplaceAll(s, "/", `\/`)
		}
		return regexp.QuoteMeta(s)
	}
	out.WriteString("^")
	done := 0
	for _, at := range placeholder.FindAllStringIndex(text, -1) {
		out.WriteString(quote(text[done:at[0]]))
		done = at[1]
		name, class, classed := strings.Cut(text[at[0]+2:at[1]-1], ":")
		switch {
		case name == "GATE" || name == "BACK":
			if live {
				out.WriteString(map[string]string{"GATE": gate, "BACK": back}[name])
			}
		case name == "INVALID_CREDENTIAL":
			out.WriteString(regexp.QuoteMeta(map[bool]string{false: documentedCredential, true: liveCredential}[live]))
		case classed && classes[class] == "":
			return nil, fmt.Errorf("no class %q", class)
		case classed && name == "":
			out.WriteString("(?:" + classes[class] + ")")
		case classed:
			out.WriteString("(?P<" + name + ">" + classes[class] + ")")
		default:
			var value string
			if value, err = variable(name); err != nil {
				return nil, err
			}
			value = regexp.QuoteMeta(value)
			if live { // it may have come from an answer of either kind
				value = strings.ReplaceAll(value, "/", `\\?/`)
			}
			out.WriteString(value)
		}
	}
	out.WriteString(quote(text[done:]) + "$")
	return regexp.Compile(out.String())
}
