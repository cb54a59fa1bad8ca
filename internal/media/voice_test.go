package media

import (
	"strings"
	"testing"
	"time"
)

func wavFormat(tag, channels uint16, rate, byteRate uint32, bits uint16) string {
	return "fmt " + le32(16) + le16(tag) + le16(channels) + le32(rate) + le32(byteRate) + le16(channels*bits/8) + le16(bits)
}

func TestInspectWAV(t *testing.T) {
	wave := func(chunks ...string) string { return "RIFF" + le32(0) + "WAVE" + strings.Join(chunks, "") }
	format := wavFormat(1, 1, 8000, 8000, 8)
	sound := strings.Repeat("s", 4000)
	data := "data" + le32(4000) + sound
	half, empty := Info{Format: WAV, Duration: 500 * time.Millisecond}, Info{Format: WAV}
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"plain":                     {wave(format, data), half},
		"chunks around":             {wave("JUNK"+le32(4)+"junk", format, "LIST"+le32(3)+"abc\x00", data, "id3 "+le32(900)), half},
		"long format":               {wave(strings.Replace(format, le32(16), le32(18), 1)+le16(0), data), half},
		"size zero":                 {wave(format, "data"+le32(0)+sound), half},
		"size of all ones":          {wave(format, "data"+le32(1<<32-1)+sound), half},
		"size past the end":         {wave(format, "data"+le32(9000)+sound), half},
		"size short of the end":     {wave(format, "data"+le32(4000)+sound+sound), half},
		"no byte rate":              {wave(wavFormat(1, 2, 1000, 0, 16), data), Info{Format: WAV, Duration: time.Second}},
		"no byte rate nor bits":     {wave(wavFormat(1, 2, 1000, 0, 0), data), Info{}},
		"no byte rate nor channels": {wave(wavFormat(1, 0, 1000, 0, 8), data), Info{}},
		"fewer than eight bits":     {wave(wavFormat(1, 1, 1, 0, 1), data), Info{}},
		"data first":                {wave(data, format), half},
		"no sound":                  {wave(format, "data"+le32(0)), empty},
		"samples counted":           {wave(wavFormat(17, 1, 8000, 99, 4), "fact"+le32(4)+le32(4000), data), half},
		"samples counted wrongly":   {wave(wavFormat(17, 1, 8000, 8000, 4), "fact"+le32(4)+le32(1<<32-1), data), half},
		"samples counted of pcm":    {wave(format, "fact"+le32(4)+le32(1), data), half},
		"count cut short":           {wave(wavFormat(17, 1, 8000, 8000, 4), "fact"+le32(2)+"\x01\x00", data), half},
		"no format":                 {wave(data), Info{}},
		"no data":                   {wave(format), Info{}},
		"short format":              {wave("fmt "+le32(14)+strings.Repeat("\x01", 14), data), Info{}},
		"format cut short":          {wave(format)[:40-8], Info{}},
		"chunk past the end":        {wave("LIST"+le32(1<<32-1), format, data), Info{}},
		"big-endian":                {strings.Replace(wave(format, data), "RIFF", "RIFX", 1), Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}

func TestInspectAMR(t *testing.T) {
	frame := func(kind, length int) string {
		return string([]byte{byte(kind<<3 | 4)}) + strings.Repeat("x", length-1)
	}
	narrow, wide := amrMagic, amrWBMagic
	for kind, length := range []int{13, 14, 16, 18, 20, 21, 27, 32, 6} {
		narrow += frame(kind, length)
	}
	for kind, length := range []int{18, 24, 33, 37, 41, 47, 51, 59, 61, 6} {
		wide += frame(kind, length)
	}
	lasts := func(frames time.Duration) Info { return Info{Format: AMR, Duration: frames * 20 * time.Millisecond} }
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"each kind":                {narrow + frame(15, 1), lasts(10)},
		"each kind, wide":          {wide + frame(14, 1) + frame(15, 1), lasts(12)},
		"one":                      {amrMagic + frame(7, 32), lasts(1)},
		"last one cut short":       {amrMagic + frame(7, 32) + frame(7, 31), lasts(1)},
		"reserved kind":            {amrMagic + frame(7, 32) + frame(9, 1) + frame(7, 32), lasts(1)},
		"reserved kind, wide":      {amrWBMagic + frame(0, 18) + frame(10, 1) + frame(0, 18), lasts(1)},
		"bits that are always 0":   {amrMagic + frame(7, 32) + "\xff" + frame(7, 32), lasts(1)},
		"nothing":                  {amrMagic, Info{}},
		"nothing, wide":            {amrWBMagic, Info{}},
		"none whole":               {amrMagic + frame(7, 31), Info{}},
		"none good":                {amrMagic + "\n\n\n" + frame(7, 32), Info{}},
		"more than one channel":    {"#!AMR_MC1.0\n" + le32(2) + frame(7, 32), Info{}},
		"more than one, wide":      {"#!AMR-WB_MC1.0\n" + le32(2) + frame(7, 32), Info{}},
		"name of the format alone": {"#!AMR", Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}

// asf begins an ASF file whose header has a size.
func asf(size uint64) string { return string(asfHeader[:]) + le64(size) + le32(9) + "\x01\x02" }

func TestInspectWMA(t *testing.T) {
	object := func(id guid, content string) string {
		return string(id[:]) + le64(uint64(24+len(content))) + content
	}
	properties := func(play, preroll uint64, flags uint32) string {
		return object(asfFile, strings.Repeat("i", 16)+le64(0)+le64(0)+le64(0)+le64(play)+le64(play)+le64(preroll)+le32(flags)+strings.Repeat("p", 12))
	}
	header := func(objects ...string) string {
		all := strings.Join(objects, "")
		return asf(uint64(30+len(all))) + all
	}
	stream := func(kind string) string { return object(asfStream, kind+strings.Repeat("s", 38)) }
	audio := stream("\x40\x9e\x69\xf8\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b")
	video := stream(string(asfVideo[:]))
	other := object(guid{1}, strings.Repeat("o", 5000))
	whole := header(other, properties(80_000_000, 3000, 2), audio)
	five := Info{Format: WMA, Duration: 5 * time.Second}
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"plain":                     {whole + "data", five},
		"streams first":             {header(audio, properties(80_000_000, 3000, 2)), five},
		"a few bytes over":          {header(properties(80_000_000, 3000, 2), audio, "xxx"), five},
		"preroll longer":            {header(properties(10, 3000, 2), audio), Info{Format: WMA}},
		"preroll of all ones":       {header(properties(10, 1<<64-1, 2), audio), Info{Format: WMA}},
		"all ones":                  {header(properties(1<<64-1, 1<<64-1, 2), audio), Info{Format: WMA}},
		"broadcast":                 {header(properties(80_000_000, 3000, 1), audio), Info{Format: WMA}},
		"video":                     {header(properties(80_000_000, 3000, 2), audio, video), Info{}},
		"video first":               {header(video, properties(80_000_000, 3000, 2), audio), Info{}},
		"no properties":             {header(audio), Info{}},
		"nothing":                   {header(), Info{}},
		"short properties":          {header(object(asfFile, strings.Repeat("p", 79)), audio), Info{}},
		"short stream":              {header(properties(80_000_000, 3000, 2), object(asfStream, "short")), Info{}},
		"object smaller than known": {header(properties(80_000_000, 3000, 2), string(asfStream[:])+le64(23)), Info{}},
		"object past the header":    {header(properties(80_000_000, 3000, 2), string(asfStream[:])+le64(1<<63)), Info{}},
		"header past the end":       {whole[:len(whole)-1], Info{}},
		"header too small":          {asf(29) + whole[30:], Info{}},
		"header of all ones":        {asf(1<<64-1) + whole[30:], Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}
