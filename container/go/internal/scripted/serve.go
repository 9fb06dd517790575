package scripted

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// state is where a client finds in the query what it has to hand back unread.
const state = "_state"

func (r *Registry) serveBlob(w http.ResponseWriter, repository, sum string) {
	data := r.Blob(repository, sum)
	if data == nil {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN")
		return
	}
	r.say(w, sum)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // nothing of it, to HEAD
}

func (r *Registry) say(w http.ResponseWriter, sum string) {
	if r.Traits.Digests {
		w.Header().Set("Docker-Content-Digest", sum)
	}
}

func (r *Registry) serveUpload(w http.ResponseWriter, req *http.Request, repository, id string) {
	switch req.Method {
	case http.MethodPost:
		r.post(w, req, repository)
	case http.MethodGet:
		r.mu.Lock()
		u := r.uploads[id]
		var size int
		if u != nil {
			size = len(u.data)
		}
		r.mu.Unlock()
		if u == nil {
			refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
			return
		}
		r.accepted(w, repository, id, size, http.StatusNoContent)
	case http.MethodPut:
		r.put(w, req, repository, id)
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
	}
}

func (r *Registry) post(w http.ResponseWriter, req *http.Request, repository string) {
	query := req.URL.Query()
	if sum := query.Get("mount"); sum != "" && r.Traits.Mounts {
		if data := r.Blob(query.Get("from"), sum); data != nil {
			r.AddBlob(repository, data)
			r.created(w, repository, "blobs", sum)
			return
		}
	}
	if sum := query.Get("digest"); sum != "" && r.Traits.OnePost {
		data, err := io.ReadAll(req.Body)
		if err == nil {
			r.finish(w, repository, sum, data)
		}
		return
	}
	drain(req)
	r.mu.Lock()
	r.begun++
	id := fmt.Sprintf("upload-%d", r.begun)
	r.uploads[id] = &upload{repository: repository}
	r.mu.Unlock()
	r.accepted(w, repository, id, 0, http.StatusAccepted)
}

func (r *Registry) put(w http.ResponseWriter, req *http.Request, repository, id string) {
	r.mu.Lock()
	u := r.uploads[id]
	at := 0
	if u != nil {
		at = len(u.data)
	}
	r.mu.Unlock()
	if u == nil || u.repository != repository || req.URL.Query().Get(state) != id {
		drain(req)
		refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
		return
	}
	if span := req.Header.Get("Content-Range"); span != "" && !strings.HasPrefix(span, fmt.Sprintf("%d-", at)) {
		drain(req)
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID")
		return
	}
	data, err := r.take(req, id, -1)
	if err != nil {
		return
	}
	r.mu.Lock()
	delete(r.uploads, id)
	r.mu.Unlock()
	r.finish(w, repository, req.URL.Query().Get("digest"), data)
}

// take appends up to limit bytes of a body, or all if it is negative, to an upload;
// what is broken it keeps or forgets as the traits say. It returns all of the upload.
func (r *Registry) take(req *http.Request, id string, limit int64) ([]byte, error) {
	var body io.Reader = req.Body
	if limit >= 0 {
		body = io.LimitReader(body, limit)
	}
	part, err := io.ReadAll(body)
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.uploads[id]
	if u == nil {
		return nil, io.ErrUnexpectedEOF
	}
	if (limit >= 0 || err != nil) && !r.Traits.Keeps {
		delete(r.uploads, id)
	} else {
		u.data = append(u.data, part...)
	}
	return u.data, err
}

func (r *Registry) finish(w http.ResponseWriter, repository, sum string, data []byte) {
	if digest(data) != sum {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID")
		return
	}
	r.AddBlob(repository, data)
	r.created(w, repository, "blobs", sum)
}

func (r *Registry) created(w http.ResponseWriter, repository, kind, sum string) {
	r.say(w, sum)
	r.locate(w, fmt.Sprintf("/v2/%s/%s/%s", repository, kind, sum))
	w.WriteHeader(http.StatusCreated)
}

func (r *Registry) accepted(w http.ResponseWriter, repository, id string, size, status int) {
	r.locate(w, fmt.Sprintf("/v2/%s/blobs/uploads/%s?%s=%s", repository, id, state, id))
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, size-1)))
	w.WriteHeader(status)
}

func (r *Registry) locate(w http.ResponseWriter, path string) {
	if r.Traits.Absolute {
		path = r.server.URL + path
	}
	w.Header().Set("Location", path)
}

func (r *Registry) serveManifest(w http.ResponseWriter, req *http.Request, repository, reference string) {
	if req.Method == http.MethodPut {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		if r.manifests[repository] == nil {
			r.manifests[repository] = map[string]manifest{}
		}
		m := manifest{req.Header.Get("Content-Type"), data}
		r.manifests[repository][reference] = m
		r.manifests[repository][digest(data)] = m
		r.mu.Unlock()
		r.created(w, repository, "manifests", digest(data))
		return
	}
	r.mu.Lock()
	m, ok := r.manifests[repository][reference]
	empty := len(r.manifests[repository])+len(r.blobs[repository]) == 0
	r.mu.Unlock()
	switch {
	case ok:
		r.say(w, digest(m.data))
		w.Header().Set("Content-Type", m.mediaType)
		w.Header().Set("Content-Length", strconv.Itoa(len(m.data)))
		_, _ = w.Write(m.data)
	case empty && r.Traits.Names:
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN")
	default:
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN")
	}
}
