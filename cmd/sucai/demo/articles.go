package demo

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// editor writes an article's content as WeChat's editor does: sections, and the styles on every element.
type editor struct {
	strings.Builder
	accent string // of headings and quotations, as rgb(..)
}

const bodyText = "font-size: 15px; color: rgb(63, 63, 63); letter-spacing: 0.5px;"

// article is the content that write makes.
func article(accent string, write func(e *editor)) string {
	e := &editor{accent: accent}
	e.WriteString(`<section style="padding: 0px 8px; box-sizing: border-box;">`)
	write(e)
	e.WriteString(`</section>`)
	return e.String()
}

// text is paragraphs; it may hold inline markup.
func (e *editor) text(paragraphs ...string) {
	for _, p := range paragraphs {
		fmt.Fprintf(e, `<p style="margin: 0px 0px 16px; line-height: 1.75em; text-align: justify;"><span style="%s">%s</span></p>`, bodyText, p)
	}
}

func (e *editor) heading(text string) {
	fmt.Fprintf(e, `<section style="margin: 28px 0px 14px; padding-left: 10px; border-left: 4px solid %s;"><h2 style="margin: 0px; font-size: 17px; line-height: 1.5em; color: %s;"><strong>%s</strong></h2></section>`, e.accent, e.accent, text)
}

func (e *editor) quote(text string) {
	fmt.Fprintf(e, `<blockquote style="margin: 0px 0px 16px; padding: 12px 16px; border-left: 3px solid %s; background-color: rgb(247, 245, 240); line-height: 1.75em; font-size: 14px; color: rgb(107, 107, 107);">%s</blockquote>`, e.accent, text)
}

// figure shows an image of the library with a line under it.
func (e *editor) figure(name, caption string) {
	p, ok := drawn[name]
	if !ok {
		panic("demo: no image " + name)
	}
	w, h := p.pixels()
	fmt.Fprintf(e, `<section style="margin: 16px 0px; text-align: center;"><img data-src="demo:%s" data-ratio="%s" data-w="%d" data-type="%s" alt="%s" style="width: 100%%; max-width: %dpx; height: auto; border-radius: 4px;" /><p style="margin: 6px 0px 0px; font-size: 12px; color: rgb(136, 136, 136);">%s</p></section>`,
		mediaID(name), strconv.FormatFloat(float64(h)/float64(w), 'g', -1, 64), w, p.format(), caption, w, caption)
}

// table has a head and rows of as many cells.
func (e *editor) table(rows ...[]string) {
	e.WriteString(`<section style="margin: 16px 0px; overflow-x: auto;"><table style="width: 100%; border-collapse: collapse; font-size: 14px; line-height: 1.6em; color: rgb(63, 63, 63);"><tbody>`)
	for i, row := range rows {
		e.WriteString(`<tr>`)
		for _, cell := range row {
			style := "padding: 6px 8px; border: 1px solid rgb(221, 216, 204);"
			if i == 0 {
				style += " background-color: rgb(247, 245, 240); font-weight: bold;"
			}
			fmt.Fprintf(e, `<td style="%s">%s</td>`, style, cell)
		}
		e.WriteString(`</tr>`)
	}
	e.WriteString(`</tbody></table></section>`)
}

// steps is a numbered list.
func (e *editor) steps(items ...string) {
	e.WriteString(`<ol style="margin: 0px 0px 16px; padding-left: 24px; line-height: 1.75em;">`)
	for _, item := range items {
		fmt.Fprintf(e, `<li><span style="%s">%s</span></li>`, bodyText, item)
	}
	e.WriteString(`</ol>`)
}

// code is lines to be typed.
func (e *editor) code(lines string) {
	fmt.Fprintf(e, `<pre style="margin: 0px 0px 16px; padding: 12px 14px; background-color: rgb(40, 44, 47); color: rgb(236, 231, 218); font-size: 13px; line-height: 1.6em; overflow-x: auto; border-radius: 4px;"><code>%s</code></pre>`, html.EscapeString(lines))
}

// closing is the small line at an article's end.
func (e *editor) closing(text string) {
	fmt.Fprintf(e, `<p style="margin: 28px 0px 0px; text-align: center; font-size: 13px; color: rgb(160, 152, 140);">— %s —</p>`, text)
}
