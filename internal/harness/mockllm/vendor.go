package mockllm

import (
	"net/http"
	"strconv"
	"time"
)

// vendor is whose clients a route is for: headers and errors have their form.
type vendor struct {
	requestID string // the header
	headers   func(h http.Header, c *call, limited bool)
	errorBody func(e *apiError, requestID string) any
	// authorized says whether the request has the key.
	authorized func(r *http.Request, key string) bool
}

// created is when everything was created, in Unix time: answers are reproducible.
const created = 1767225600 // 2026-01-01T00:00:00Z

const createdText = "2026-01-01T00:00:00Z"

// The limits that the headers tell of where none are set. They are not enforced.
const (
	limitRequests = 10_000
	limitTokens   = 1_000_000
)

// remaining is what is left of a limit: nothing where it is said to be exceeded.
func remaining(limit int, limited bool) string {
	if limited {
		return "0"
	}
	return strconv.Itoa(limit - 1)
}

// The headers that are the same for all answers, by whether a limit is said to be exceeded.
var (
	openAIHeaders    = map[bool]http.Header{false: openAILimits(false), true: openAILimits(true)}
	anthropicHeaders = map[bool]http.Header{false: anthropicLimits(false), true: anthropicLimits(true)}
)

func openAILimits(limited bool) http.Header {
	return http.Header{
		"Openai-Version":                 {"2020-10-01"},
		"Openai-Organization":            {"perfgate"},
		"X-Ratelimit-Limit-Requests":     {strconv.Itoa(limitRequests)},
		"X-Ratelimit-Limit-Tokens":       {strconv.Itoa(limitTokens)},
		"X-Ratelimit-Remaining-Requests": {remaining(limitRequests, limited)},
		"X-Ratelimit-Remaining-Tokens":   {remaining(limitTokens, limited)},
		"X-Ratelimit-Reset-Requests":     {"6ms"},
		"X-Ratelimit-Reset-Tokens":       {"0s"},
	}
}

func anthropicLimits(limited bool) http.Header {
	h := http.Header{"Anthropic-Organization-Id": {"perfgate"}}
	for name, limit := range map[string]int{"Requests": limitRequests, "Tokens": limitTokens, "Input-Tokens": limitTokens, "Output-Tokens": limitTokens} {
		h.Set("Anthropic-Ratelimit-"+name+"-Limit", strconv.Itoa(limit))
		h.Set("Anthropic-Ratelimit-"+name+"-Remaining", remaining(limit, limited))
		h.Set("Anthropic-Ratelimit-"+name+"-Reset", createdText)
	}
	return h
}

// setAll sets headers whose values nobody changes.
func setAll(h, headers http.Header) {
	for name, values := range headers {
		h[name] = values
	}
}

var openAI = &vendor{
	requestID: "X-Request-Id",
	headers: func(h http.Header, c *call, limited bool) {
		setAll(h, openAIHeaders[limited])
		c.quota.openAI(h)
		c.set(h, "Openai-Processing-Ms", strconv.FormatInt(c.total().Milliseconds(), 10))
	},
	errorBody: func(e *apiError, _ string) any {
		return openAIError{Error: openAIErrorBody(e)}
	},
	authorized: func(r *http.Request, key string) bool { return r.Header.Get("Authorization") == "Bearer "+key },
}

type openAIError struct {
	Error openAIErrorDetail `json:"error"`
}

type openAIErrorDetail struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

func openAIErrorBody(e *apiError) openAIErrorDetail {
	d := openAIErrorDetail{Message: e.message, Type: "invalid_request_error", Param: orNull(e.param), Code: orNull(e.code)}
	code := ""
	switch {
	case e.status == http.StatusUnauthorized:
		code = "invalid_api_key"
	case e.status == http.StatusTooManyRequests:
		d.Type, code = "requests", "rate_limit_exceeded"
	case e.status >= 500:
		d.Type, code = "server_error", "server_error"
	}
	if d.Code == nil {
		d.Code = orNull(code)
	}
	return d
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

var anthropic = &vendor{
	requestID: "Request-Id",
	headers: func(h http.Header, c *call, limited bool) {
		setAll(h, anthropicHeaders[limited])
		c.quota.anthropic(h, c.arrived)
	},
	errorBody: func(e *apiError, requestID string) any {
		return anthropicError{Type: "error", Error: anthropicErrorDetail{anthropicErrorType(e.status), e.message}, RequestID: requestID}
	},
	authorized: func(r *http.Request, key string) bool {
		return r.Header.Get("X-Api-Key") == key || r.Header.Get("Authorization") == "Bearer "+key
	},
}

type anthropicError struct {
	Type      string               `json:"type"`
	Error     anthropicErrorDetail `json:"error"`
	RequestID string               `json:"request_id"`
}

type anthropicErrorDetail struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// anthropicErrors are the error types of statuses that have one of their own.
var anthropicErrors = map[int]string{
	401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
	413: "request_too_large", 429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error",
}

func anthropicErrorType(status int) string {
	if name, ok := anthropicErrors[status]; ok {
		return name
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

// vendorOf tells whose client asks, where the path does not.
func vendorOf(r *http.Request) *vendor {
	if r.Header.Get("Anthropic-Version") != "" {
		return anthropic
	}
	return openAI
}

// messages of injected errors.
func injected(f *Fault) *apiError {
	e := &apiError{status: f.status, message: "perfgate mock: injected " + f.Kind}
	if f.status == http.StatusTooManyRequests {
		e.message = "Rate limit reached (injected by perfgate mock)"
	}
	if retried(f.status) {
		e.retryAfter = f.RetryAfter
	}
	return e
}

// retried are the statuses that the official clients try again after.
func retried(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooManyRequests || status >= 500
}

// milliseconds is a delay for the header, at least 1.
func milliseconds(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }
