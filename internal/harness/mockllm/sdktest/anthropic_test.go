package sdktest

import (
	"errors"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
)

func messageParams(prompt string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: "claude-mock", MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt))},
	}
}

func withTool(p anthropic.MessageNewParams) anthropic.MessageNewParams {
	p.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
		Name:        "get_weather",
		InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{"city": map[string]any{"type": "string"}}, Required: []string{"city"}},
	}}}
	return p
}

func TestMessages(t *testing.T) {
	s, client := upstream(t), anthropic.NewClient()
	got, err := client.Messages.New(t.Context(), messageParams("What is the weather in Oslo?"))
	if err != nil {
		t.Fatal(err)
	}
	if got.StopReason != "end_turn" || len(got.Content[0].Text) != 4*tokens || got.Usage.OutputTokens != tokens || got.Usage.InputTokens != 7 {
		t.Errorf("%s", got.RawJSON())
	}
	counted(t, s, 1, 1)
}

// accumulate reads a stream to its end.
func accumulate(t *testing.T, p anthropic.MessageNewParams) anthropic.Message {
	t.Helper()
	client := anthropic.NewClient()
	stream := client.Messages.NewStreaming(t.Context(), p)
	var message anthropic.Message
	for stream.Next() {
		if err := message.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return message
}

func TestMessagesStream(t *testing.T) {
	s := upstream(t)
	got := accumulate(t, messageParams("What is the weather in Oslo?"))
	if got.StopReason != "end_turn" || len(got.Content[0].Text) != 4*tokens || got.Usage.OutputTokens != tokens {
		t.Errorf("%+v", got)
	}
	if n := s.RunStats("sdk").Streams; n != 1 {
		t.Errorf("%d streams counted", n)
	}
}

func TestMessagesTools(t *testing.T) {
	s, client := upstream(t), anthropic.NewClient()
	p := withTool(messageParams("What is the weather in Oslo?"))
	whole, err := client.Messages.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for form, got := range map[string]anthropic.Message{"whole": *whole, "stream": accumulate(t, p)} {
		use := got.Content[0].AsToolUse()
		if got.StopReason != "tool_use" || use.Name != "get_weather" || string(use.Input) != `{"city":"mock"}` {
			t.Errorf("%s: %+v", form, got)
		}
	}
	use := whole.Content[0].AsToolUse()
	p.Messages = append(p.Messages, whole.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock(use.ID, "rain", false)))
	if got, err := client.Messages.New(t.Context(), p); err != nil || got.StopReason != "end_turn" {
		t.Errorf("%v, %v", got, err)
	}
	counted(t, s, 3, 3)
}

func TestCountTokens(t *testing.T) {
	upstream(t)
	client := anthropic.NewClient()
	got, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
		Model: "claude-mock", Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("four or five"))},
	})
	if err != nil || got.InputTokens != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAnthropicModels(t *testing.T) {
	upstream(t)
	client := anthropic.NewClient()
	list := client.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{})
	n := 0
	for list.Next() {
		n++
	}
	if err := list.Err(); err != nil || n == 0 {
		t.Errorf("%d models, %v", n, err)
	}
	if m, err := client.Models.Get(t.Context(), "claude-mock", anthropic.ModelGetParams{}); err != nil || m.ID != "claude-mock" || m.CreatedAt.IsZero() {
		t.Errorf("%v, %v", m, err)
	}
}

func TestAnthropicRecovers(t *testing.T) {
	s, client := upstream(t, mended...), anthropic.NewClient()
	for _, prompt := range []string{"a", "b", "c", "d"} {
		if _, err := client.Messages.New(t.Context(), messageParams(prompt)); err != nil {
			t.Errorf("%s: %v", prompt, err)
		}
	}
	counted(t, s, 4, 8)
}

func TestAnthropicErrors(t *testing.T) {
	s, client := upstream(t, "529:times=9"), anthropic.NewClient()
	_, err := client.Messages.New(t.Context(), messageParams("a"))
	if e := (*anthropic.Error)(nil); !errors.As(err, &e) || e.StatusCode != 529 || e.RequestID == "" {
		t.Errorf("%v", err)
	}
	counted(t, s, 1, 3)

	upstream(t, "500:after=3")
	client = anthropic.NewClient()
	stream := client.Messages.NewStreaming(t.Context(), messageParams("a"))
	n := 0
	for stream.Next() {
		n++
	}
	if err := stream.Err(); err == nil || n < 5 {
		t.Errorf("after %d events: %v, want the error in mid-stream", n, err)
	}
}
