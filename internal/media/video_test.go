package media

import (
	"strings"
	"testing"
	"time"
)

func mp4Box(kind string, content ...string) string {
	all := strings.Join(content, "")
	return be32(uint32(8+len(all))) + kind + all
}

func mvhd0(perSecond, units uint32) string {
	return mp4Box("mvhd", be32(0), be32(1), be32(2), be32(perSecond), be32(units), strings.Repeat("\x00", 80))
}

func mvhd1(perSecond uint32, units uint64) string {
	return mp4Box("mvhd", be32(1<<24), be64(1), be64(2), be32(perSecond), be64(units), strings.Repeat("\x00", 80))
}

func TestInspectMP4(t *testing.T) {
	ftyp := mp4Box("ftyp", "isom", be32(512), "isomiso2avc1mp41")
	mdat := mp4Box("mdat", strings.Repeat("d", 10000))
	moov := mp4Box("moov", mvhd0(600, 1500))
	lasts := func(d time.Duration) Info { return Info{Format: MP4, Duration: d} }
	const known = 2500 * time.Millisecond
	mehd := func(content ...string) string {
		return mp4Box("mvex", mp4Box("trex", be32(0)), mp4Box("mehd", content...))
	}
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"moov in front":              {ftyp + moov + mdat, lasts(known)},
		"moov behind":                {ftyp + mdat + moov, lasts(known)},
		"moov alone":                 {ftyp + moov, lasts(known)},
		"mvhd behind a track":        {ftyp + mp4Box("moov", mp4Box("trak", strings.Repeat("t", 9000)), mvhd0(600, 1500)), lasts(known)},
		"wide mvhd":                  {ftyp + mp4Box("moov", mvhd1(600, 1500)), lasts(known)},
		"long mdat":                  {ftyp + be32(1) + "mdat" + be64(16+5) + "ddddd" + moov, lasts(known)},
		"long moov":                  {ftyp + be32(1) + "moov" + be64(16+uint64(len(mvhd0(1, 1)))) + mvhd0(600, 1500), lasts(known)},
		"moov to the end":            {ftyp + be32(0) + "moov" + mvhd0(600, 1500), lasts(known)},
		"mdat to the end":            {ftyp + moov + be32(0) + "mdat" + "ddd", lasts(known)},
		"ftyp of nothing":            {mp4Box("ftyp") + moov, lasts(known)},
		"damage behind":              {ftyp + moov + be32(3) + "mdat", lasts(known)},
		"duration zero":              {ftyp + mp4Box("moov", mvhd0(600, 0)), lasts(0)},
		"duration of all ones":       {ftyp + mp4Box("moov", mvhd0(600, 1<<32-1)), lasts(0)},
		"wide of all ones":           {ftyp + mp4Box("moov", mvhd1(600, 1<<64-1)), lasts(0)},
		"wide, very long":            {ftyp + mp4Box("moov", mvhd1(1, 1<<64-2)), lasts(1<<63 - 1)},
		"no time scale":              {ftyp + mp4Box("moov", mvhd0(0, 1500)), lasts(0)},
		"fragments":                  {ftyp + mp4Box("moov", mvhd0(600, 0), mehd(be32(0), be32(1500))), lasts(known)},
		"fragments, wide":            {ftyp + mp4Box("moov", mvhd0(600, 0), mehd(be32(1<<24), be64(1500))), lasts(known)},
		"fragments before mvhd":      {ftyp + mp4Box("moov", mehd(be32(0), be32(1500)), mvhd0(600, 0)), lasts(known)},
		"fragments behind a part":    {ftyp + mp4Box("moov", mvhd0(600, 10), mehd(be32(0), be32(1500))), lasts(known)},
		"fragments of no length":     {ftyp + mp4Box("moov", mvhd0(600, 0), mp4Box("mvex", mp4Box("trex", be32(0)))), lasts(0)},
		"mehd cut short":             {ftyp + mp4Box("moov", mvhd0(600, 0), mehd(be32(0))), Info{}},
		"wide mehd cut short":        {ftyp + mp4Box("moov", mvhd0(600, 0), mehd(be32(1<<24), be32(0))), Info{}},
		"ftyp alone":                 {ftyp, Info{}},
		"no moov":                    {ftyp + mdat, Info{}},
		"no mvhd":                    {ftyp + mp4Box("moov", mp4Box("trak")), Info{}},
		"no ftyp":                    {moov + mdat, Info{}},
		"ftyp behind":                {mp4Box("free") + ftyp + moov, Info{}},
		"mvhd of no known version":   {ftyp + mp4Box("moov", strings.Replace(mvhd0(600, 1500), "mvhd\x00", "mvhd\x02", 1)), Info{}},
		"mvhd cut short":             {ftyp + mp4Box("moov", mp4Box("mvhd", be32(0), be32(1), be32(2), be32(600))), Info{}},
		"wide mvhd cut short":        {ftyp + mp4Box("moov", mp4Box("mvhd", be32(1<<24), strings.Repeat("\x01", 24))), Info{}},
		"mvhd of nothing":            {ftyp + mp4Box("moov", mp4Box("mvhd")), Info{}},
		"mvhd past its moov":         {ftyp + mp4Box("moov", be32(108)+"mvhd") + strings.Repeat("\x00", 100), Info{}},
		"moov past the end":          {ftyp + moov[:len(moov)-1], Info{}},
		"box smaller than itself":    {ftyp + be32(7) + "free" + moov, Info{}},
		"long box of a small size":   {ftyp + be32(1) + "free" + be64(15) + moov, Info{}},
		"long box of an endless one": {ftyp + be32(1) + "free" + be64(1<<64-1) + moov, Info{}},
		"long box cut short":         {ftyp + be32(1) + "free" + be32(0), Info{}},
		"ftyp past the end":          {be32(9000) + "ftypisom" + moov, Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}
