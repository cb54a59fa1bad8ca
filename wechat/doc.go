// Package wechat holds the words and bytes of the permanent-material API (永久素材)
// of WeChat Official Accounts: its types, its errcodes, both ends of its wire, and a
// typed client.
//
// A server builds an [Answer] and appends it to a buffer with the [Wire] its caller
// sees; the client decodes the same structs. Both directions of one answer stand in
// one file, so that they cannot drift apart.
//
// The client works against any endpoint that speaks the API:
//
//	c := &wechat.Client{Endpoint: "http://127.0.0.1:8080", AppID: appID, Secret: secret}
//	m, err := c.GetMaterial(ctx, mediaID)
//	switch {
//	case errors.Is(err, wechat.ErrInvalidMediaID): // no such material
//	case m.News != nil:  // articles
//	case m.Video != nil: // title, description, down_url
//	case m.File != nil:  // the material itself, as a stream
//	}
package wechat
