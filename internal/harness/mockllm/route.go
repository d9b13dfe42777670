package mockllm

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// route is an endpoint: how its requests are read, and how its answers look.
type route struct {
	name   string
	method string
	vendor *vendor // nil: whoever asks
	// parse reads a request's body, nil where the path says all.
	parse func(body []byte) (*request, *apiError)
	// full is the answer in one piece, to be encoded as JSON.
	full func(c *call) any
	// events is the answer as a stream, nil where there is none.
	events func(c *call) events
	// prefixes are how a request begins, for prompt caches of at least so many tokens, nil where none are.
	prefixes func(c *call, minimum int) []prefix
	// instant routes answer without delay: no model is asked.
	instant bool
	// embeds says that there are no tokens in the answer.
	embeds bool
}

// routes is the one table of endpoints, by their paths below /v1.
var routes = map[string]*route{
	"/chat/completions":      {name: "chat", method: http.MethodPost, vendor: openAI, parse: parseChat, full: fullChat, events: streamChat, prefixes: (*call).blocks},
	"/completions":           {name: "completions", method: http.MethodPost, vendor: openAI, parse: parseCompletions, full: fullCompletions, events: streamCompletions},
	"/responses":             {name: "responses", method: http.MethodPost, vendor: openAI, parse: parseResponses, full: fullResponse, events: streamResponse, prefixes: (*call).blocks},
	"/embeddings":            {name: "embeddings", method: http.MethodPost, vendor: openAI, parse: parseEmbeddings, full: fullEmbeddings, embeds: true},
	"/messages":              {name: "messages", method: http.MethodPost, vendor: anthropic, parse: parseMessages, full: fullMessage, events: streamMessage, prefixes: (*call).breakpoints},
	"/messages/count_tokens": {name: "count_tokens", method: http.MethodPost, vendor: anthropic, parse: parseCount, full: fullCountTokens, instant: true},
	"/models":                {name: "models", method: http.MethodGet, full: fullModels, instant: true},
}

// Routes are the names of the endpoints.
func Routes() []string {
	var names []string
	for _, r := range routes {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}

// RequestLine is the method and the path of the endpoint of that name, such as POST /v1/chat/completions.
func RequestLine(name string) string {
	for path, r := range routes {
		if r.name == name {
			return r.method + " /v1" + path
		}
	}
	return name
}

// findRoute returns the endpoint of a path, and what follows it. Base URLs end in /v1 or in nothing, or have another
// path before it, as gateways do.
func findRoute(path string) (r *route, rest string) {
	path = strings.Trim(path, "/")
	for more := true; more; _, path, more = strings.Cut(path, "/") {
		if r := routes["/"+path]; r != nil {
			return r, ""
		}
		if id, ok := strings.CutPrefix(path, "models/"); ok {
			return routes["/models"], id
		}
	}
	return nil, ""
}

// paths are those of all endpoints, for errors.
func paths() string {
	return strings.Join(slices.Sorted(maps.Keys(routes)), ", ")
}

// splitRun takes the run's name out of a path that begins with /r/NAME/.
func splitRun(path string) (run, rest string) {
	below, ok := strings.CutPrefix(path, "/r/")
	if !ok {
		return "", path
	}
	run, rest, _ = strings.Cut(below, "/")
	return run, "/" + rest
}
