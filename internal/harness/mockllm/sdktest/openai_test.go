package sdktest

import (
	"errors"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

var question = []openai.ChatCompletionMessageParamUnion{openai.UserMessage("What is the weather in Oslo?")}

func weather() []openai.ChatCompletionToolUnionParam {
	return []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name: "get_weather",
		Parameters: openai.FunctionParameters{
			"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"},
		},
	})}
}

func TestChat(t *testing.T) {
	s, client := upstream(t), openai.NewClient()
	got, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "gpt-mock", Messages: question})
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Choices[0]; c.FinishReason != "stop" || len(c.Message.Content) != 4*tokens || got.Usage.CompletionTokens != tokens || got.Usage.PromptTokens != 7 {
		t.Errorf("%s", got.RawJSON())
	}
	counted(t, s, 1, 1)
}

func TestChatStream(t *testing.T) {
	s, client := upstream(t), openai.NewClient()
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{
		Model: "gpt-mock", Messages: question, StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	})
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		if !all.AddChunk(stream.Current()) {
			t.Errorf("the client refuses %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if c := all.Choices[0]; c.FinishReason != "stop" || len(c.Message.Content) != 4*tokens || all.Usage.CompletionTokens != tokens {
		t.Errorf("%+v", all.ChatCompletion)
	}
	if n := s.RunStats("sdk").Streams; n != 1 {
		t.Errorf("%d streams counted", n)
	}
}

// An agent's loop: the tool is called, its result is sent back, the answer ends it.
func TestChatTools(t *testing.T) {
	s, client := upstream(t), openai.NewClient()
	params := openai.ChatCompletionNewParams{Model: "gpt-mock", Messages: question, Tools: weather()}
	got, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	message := got.Choices[0].Message
	if len(message.ToolCalls) != 1 || message.ToolCalls[0].Function.Name != "get_weather" || message.ToolCalls[0].Function.Arguments != `{"city":"mock"}` {
		t.Fatalf("%s", got.RawJSON())
	}
	params.Messages = append(params.Messages, message.ToParam(), openai.ToolMessage("rain", message.ToolCalls[0].ID))
	if got, err = client.Chat.Completions.New(t.Context(), params); err != nil || got.Choices[0].FinishReason != "stop" {
		t.Errorf("%v, %v", got, err)
	}
	counted(t, s, 2, 2)
}

func TestChatToolsStream(t *testing.T) {
	upstream(t)
	client := openai.NewClient()
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{Model: "gpt-mock", Messages: question, Tools: weather()})
	var all openai.ChatCompletionAccumulator
	finished := false
	for stream.Next() {
		all.AddChunk(stream.Current())
		if call, ok := all.JustFinishedToolCall(); ok {
			finished = call.Name == "get_weather" && call.Arguments == `{"city":"mock"}`
		}
	}
	if err := stream.Err(); err != nil || !finished {
		t.Errorf("%+v, %v", all.ChatCompletion, err)
	}
}

func TestResponses(t *testing.T) {
	s, client := upstream(t), openai.NewClient()
	params := responses.ResponseNewParams{Model: "gpt-mock", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("What is the weather?")}}
	got, err := client.Responses.New(t.Context(), params)
	if err != nil || got.Status != "completed" || len(got.OutputText()) != 4*tokens || got.Usage.OutputTokens != tokens {
		t.Fatalf("%v, %v", got, err)
	}
	params.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{Name: "get_weather", Parameters: map[string]any{"type": "object"}}}}
	if got, err = client.Responses.New(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	call := got.Output[0].AsFunctionCall()
	if call.Name != "get_weather" || call.Arguments != "{}" {
		t.Fatalf("%s", got.RawJSON())
	}
	params.PreviousResponseID = openai.String(got.ID)
	result := responses.ResponseInputItemParamOfFunctionCallOutput("rain")
	result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
	params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{result}}
	if got, err = client.Responses.New(t.Context(), params); err != nil || len(got.OutputText()) != 4*tokens {
		t.Errorf("%v, %v", got, err)
	}
	counted(t, s, 3, 3)
}

func TestResponsesStream(t *testing.T) {
	upstream(t)
	client := openai.NewClient()
	for _, tools := range [][]responses.ToolUnionParam{nil, {{OfFunction: &responses.FunctionToolParam{Name: "get_weather", Parameters: map[string]any{"type": "object"}}}}} {
		stream := client.Responses.NewStreaming(t.Context(), responses.ResponseNewParams{
			Model: "gpt-mock", Tools: tools, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("What is the weather?")},
		})
		var deltas strings.Builder
		completed, number := false, int64(-1)
		for stream.Next() {
			event := stream.Current()
			if event.SequenceNumber != number+1 {
				t.Errorf("event %d after %d", event.SequenceNumber, number)
			}
			number = event.SequenceNumber
			switch event := event.AsAny().(type) {
			case responses.ResponseTextDeltaEvent:
				deltas.WriteString(event.Delta)
			case responses.ResponseFunctionCallArgumentsDeltaEvent:
				deltas.WriteString(event.Delta)
			case responses.ResponseCompletedEvent:
				completed = tools != nil || event.Response.OutputText() == deltas.String()
			}
		}
		if err := stream.Err(); err != nil || !completed || deltas.Len() == 0 {
			t.Errorf("%v: completed %v, %q", err, completed, deltas.String())
		}
	}
}

func TestEmbeddings(t *testing.T) {
	s, client := upstream(t), openai.NewClient()
	for _, format := range []openai.EmbeddingNewParamsEncodingFormat{"", "float"} {
		got, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
			Model: "text-embedding-mock", EncodingFormat: format, Dimensions: openai.Int(16),
			Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Data) != 2 || len(got.Data[1].Embedding) != 16 || got.Data[1].Index != 1 || got.Usage.PromptTokens != 2 {
			t.Errorf("%s", got.RawJSON())
		}
	}
	counted(t, s, 2, 2)
}

func TestOpenAIModels(t *testing.T) {
	upstream(t)
	client := openai.NewClient()
	list := client.Models.ListAutoPaging(t.Context())
	n := 0
	for list.Next() {
		n++
	}
	if err := list.Err(); err != nil || n == 0 {
		t.Errorf("%d models, %v", n, err)
	}
	if m, err := client.Models.Get(t.Context(), "gpt-mock"); err != nil || m.ID != "gpt-mock" {
		t.Errorf("%v, %v", m, err)
	}
}

func TestOpenAIRecovers(t *testing.T) {
	s, client := upstream(t, mended...), openai.NewClient()
	for _, prompt := range []string{"a", "b", "c", "d"} {
		if _, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{
			Model: "gpt-mock", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
		}); err != nil {
			t.Errorf("%s: %v", prompt, err)
		}
	}
	counted(t, s, 4, 8)
}

// What a client cannot mend reaches the program, in the form that it knows.
func TestOpenAIErrors(t *testing.T) {
	s, client := upstream(t, "429:times=9"), openai.NewClient()
	_, err := client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "gpt-mock", Messages: question})
	if e := (*openai.Error)(nil); !errors.As(err, &e) || e.StatusCode != 429 || e.Code != "rate_limit_exceeded" {
		t.Errorf("%v", err)
	}
	counted(t, s, 1, 3)

	upstream(t, "500:after=3")
	client = openai.NewClient()
	stream := client.Chat.Completions.NewStreaming(t.Context(), openai.ChatCompletionNewParams{Model: "gpt-mock", Messages: question})
	n := 0
	for stream.Next() {
		n++
	}
	if err := stream.Err(); err == nil || n != 4 || !strings.Contains(err.Error(), "injected 500") {
		t.Errorf("after %d chunks: %v, want the error in mid-stream", n, err)
	}
}
