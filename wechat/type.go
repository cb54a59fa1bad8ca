package wechat

// Type is the kind of a material as the API spells it in `type`.
type Type string

// The types of the documents. Thumb is for uploads only: what it stores is an image.
const (
	Image Type = "image"
	Voice Type = "voice"
	Video Type = "video"
	News  Type = "news"
	Thumb Type = "thumb"
)

// Listed are the types that batchget_material takes and get_materialcount counts.
var Listed = []Type{Image, Voice, Video, News}

// IsListed tells whether batchget_material takes t.
func (t Type) IsListed() bool {
	return t == Image || t == Voice || t == Video || t == News
}

// IsFile tells whether add_material and media/upload take t.
func (t Type) IsFile() bool {
	return t == Image || t == Voice || t == Video || t == Thumb
}
