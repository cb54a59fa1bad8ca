// Package library holds the rules of permanent materials, once, above every engine,
// and the three interfaces that an engine implements: [Materials], [Accounts], [Blobs].
// It is the only way in for the server, for commands and for whatever comes later.
//
// [Libraries] is what a process opens: all accounts and their tokens. [Library] is one
// account's materials. A broken rule is a *wechat.Error with the errcode of the
// documents; anything else that comes out is trouble, which callers see as -1.
package library
