package blobs

import "strings"

// Marker is the file below the root of a Dir that holds the store id.
const Marker = marker

// FileOf is where below its root a Dir keeps a blob, with slashes: ab/cdef...
func FileOf(name string) string { return name[:2] + "/" + name[2:] }

// IsFileOf tells whether FileOf could have given that place.
func IsFileOf(path string) bool {
	shard, rest, _ := strings.Cut(path, "/")
	return len(shard) == 2 && isName(shard+rest)
}
