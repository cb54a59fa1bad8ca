package demo

import (
	"encoding/binary"
	"math"
)

// note is one plucked string: when it sounds, in beats, how high it is, in semitones above middle C, and how loud.
type note struct{ beat, pitch, loud float64 }

// springGreeting is a phrase of the five-note scale on D, down, up and home.
var springGreeting = []note{
	{0, 21, .8}, {.5, 18, .6}, {1, 16, .7}, {1.5, 14, .6}, {2, 16, .7}, {2.5, 18, .7}, {3, 21, .9}, {3, 9, .5},
	{4, 23, .8}, {4.5, 21, .7}, {5, 26, 1}, {5, 14, .6}, {5.06, 21, .4}, {5.12, 18, .3},
}

// pluck plays the notes on a long zither: partials that fade the faster the higher they are, and a little of a hall.
func pluck(notes []note, beat, seconds float64, rate int) []float64 {
	out := make([]float64, int(seconds*float64(rate)))
	for _, n := range notes {
		pitch := 261.63 * math.Exp2(n.pitch/12)
		from := int(n.beat * beat * float64(rate))
		for k := 1.; k <= 9 && k*pitch < .45*float64(rate); k++ {
			// The string is plucked at a fifth of its length, so every fifth partial is missing.
			size := n.loud * math.Sin(math.Pi*k/5) / math.Pow(k, 1.25)
			fade := 1.6 + .9*k
			step := 2 * math.Pi * pitch * k * (1 + .00018*k*k) / float64(rate)
			for i := from; i < len(out); i++ {
				t := float64(i-from) / float64(rate)
				if fade*t > 8 {
					break
				}
				// A finger presses the string behind the bridge: the tone wavers a few thousandths, a little after it began.
				waver := .003 * pitch * k / 5.2 * math.Sin(2*math.Pi*5.2*t) * min(t*3, 1)
				out[i] += size * math.Exp(-fade*t) * min(t/.003, 1) * math.Sin(step*float64(i-from)+waver)
			}
		}
	}
	for _, echo := range []struct{ delay, share float64 }{{.083, .22}, {.131, .16}, {.197, .1}} {
		d := int(echo.delay * float64(rate))
		for i := len(out) - 1; i >= d; i-- {
			out[i] += echo.share * out[i-d]
		}
	}
	loudest := 0.
	for _, v := range out {
		loudest = max(loudest, math.Abs(v))
	}
	tail := .25 * float64(rate)
	for i := range out {
		out[i] *= .82 / loudest * min(float64(len(out)-i)/tail, 1)
	}
	return out
}

// encodeWAV is the sound as 16-bit PCM in one channel.
func encodeWAV(sound []float64, rate int) []byte {
	le := binary.LittleEndian
	size := uint32(2 * len(sound))
	out := append([]byte("RIFF"), le.AppendUint32(nil, 36+size)...)
	out = append(out, "WAVEfmt "...)
	out = le.AppendUint32(out, 16)
	out = le.AppendUint16(out, 1)
	out = le.AppendUint16(out, 1)
	out = le.AppendUint32(out, uint32(rate))
	out = le.AppendUint32(out, uint32(2*rate))
	out = le.AppendUint16(out, 2)
	out = le.AppendUint16(out, 16)
	out = append(out, "data"...)
	out = le.AppendUint32(out, size)
	for _, v := range sound {
		out = le.AppendUint16(out, uint16(int16(math.Round(v*32767))))
	}
	return out
}

func springGreetingWAV() ([]byte, error) {
	const rate = 11025
	return encodeWAV(pluck(springGreeting, .3, 2.6, rate), rate), nil
}
