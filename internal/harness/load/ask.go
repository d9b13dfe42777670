package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAttempts is how often the pipeline tries a call: as often as the official SDKs.
const maxAttempts = 3

// maxAnswer bounds an answer.
const maxAnswer = 8 << 20

// The wire format, as far as the pipeline needs it.
type (
	chatRequest struct {
		Model    string        `json:"model"`
		Messages []chatMessage `json:"messages"`
	}
	chatMessage struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	chatAnswer struct {
		Choices []struct {
			Message chatMessage `json:"message"`
		} `json:"choices"`
	}
)

// ask asks the model in a role, again where the answer is an error that may pass.
func (a *agent) ask(ctx context.Context, role, prompt string) (string, error) {
	body, err := json.Marshal(chatRequest{a.Model, []chatMessage{{"system", "You are the " + role + "."}, {"user", prompt}}})
	if err != nil {
		return "", err
	}
	for attempt := 0; ; attempt++ {
		text, again, err := a.try(ctx, body, attempt)
		if err == nil || again < 0 || attempt+1 == maxAttempts {
			return text, err
		}
		if err := sleep(ctx, a.Clock, again); err != nil {
			return "", err
		}
	}
}

// never is the pause before an attempt that has no point.
const never = time.Duration(-1)

// try makes one attempt. Again is how long to wait before the next, where there may be one.
func (a *agent) try(ctx context.Context, body []byte, attempt int) (text string, again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL+RunPath(a.run)+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", never, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer perfgate")
	req.Header.Set("X-Stainless-Retry-Count", strconv.Itoa(attempt))
	resp, err := a.LLM.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return "", never, ctx.Err()
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return "", never, err
		}
		return "", a.pause(nil, attempt), &KindError{Connection, err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", a.pause(nil, attempt), failedRequest(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		err := &KindError{Status, fmt.Errorf("the model answered %s", resp.Status)}
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
			return "", a.pause(resp.Header, attempt), err
		}
		return "", never, err
	}
	var answer chatAnswer
	if err := json.Unmarshal(data, &answer); err != nil || len(answer.Choices) == 0 {
		return "", never, &KindError{Status, errors.New("the model's answer has no choices")}
	}
	return answer.Choices[0].Message.Content, never, nil
}

// pause is how long to wait before the next attempt: what the server says, else half a second that doubles and
// is shortened by up to a quarter, as the official SDKs do, but drawn from the seed.
func (a *agent) pause(h http.Header, attempt int) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms >= 0 && ms < 3_600_000 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	if sec, err := strconv.Atoi(h.Get("Retry-After")); err == nil && sec >= 0 && sec <= 3600 {
		return time.Duration(sec) * time.Second
	}
	wait := float64(time.Second/2) * float64(int(1)<<attempt)
	return time.Duration(wait * (1 - uniform(a.Seed, "jitter "+RunName(a.run), uint64(attempt))/4))
}
