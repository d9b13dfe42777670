// Runs the vendors' own clients for Node against the mock upstream that the environment names. It wants
// these faults there: 429:contains=limited, 500:contains=broken,times=2, 529:contains=overloaded,times=9.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";

const openai = new OpenAI();
const anthropic = new Anthropic();
const tokens = 32;
const ask = (content) => [{ role: "user", content }];
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

// attempts at calls whose text has the word, and the calls, are counted by the run of the base URL.
async function counted(work) {
  const url = process.env.PERFGATE_MOCK_URL;
  await fetch(`${url}/perfgate/reset`, { method: "POST" });
  await work();
  const { calls, attempts, streams } = await (await fetch(`${url}/perfgate/stats`)).json();
  return { calls, attempts, streams };
}

test("chat", async () => {
  const got = await openai.chat.completions.create({ model: "gpt-mock", messages: ask("hello") });
  assert.equal(got.choices[0].message.content.length, 4 * tokens);
  assert.equal(got.usage.completion_tokens, tokens);
  assert.match(got._request_id, /^req_/);
});

test("chat, streamed", async () => {
  const runner = openai.chat.completions.stream({
    model: "gpt-mock", messages: ask("hello"), stream_options: { include_usage: true },
  });
  const got = await runner.finalChatCompletion();
  assert.equal(got.choices[0].message.content.length, 4 * tokens);
  assert.equal(got.usage.completion_tokens, tokens);
});

test("chat with tools: the loop ends", async () => {
  const called = [];
  const get_weather = (args) => (called.push(args), "rain");
  const runner = openai.chat.completions.runTools({
    model: "gpt-mock", messages: ask("the weather"), stream: true,
    tools: [{ type: "function", function: { name: "get_weather", function: get_weather, parse: JSON.parse, parameters: schema } }],
  });
  assert.equal((await runner.finalContent()).length, 4 * tokens);
  assert.deepEqual(called, [{ city: "mock" }]);
});

test("responses, whole and streamed, text and tools", async () => {
  for (const tools of [undefined, [{ type: "function", name: "get_weather", parameters: schema, strict: true }]]) {
    const whole = await openai.responses.create({ model: "gpt-mock", input: "the weather", tools });
    const streamed = await openai.responses.stream({ model: "gpt-mock", input: "the weather", tools }).finalResponse();
    for (const got of [whole, streamed]) {
      assert.equal(got.status, "completed");
      if (tools) assert.equal(got.output[0].arguments, '{"city":"mock"}');
      else assert.equal(got.output[0].content[0].text.length, 4 * tokens);
    }
  }
});

test("embeddings: base64, which this client asks for, has the same numbers", async () => {
  const params = { model: "text-embedding-mock", input: ["one", "two"], dimensions: 16 };
  const got = await openai.embeddings.create(params);
  const floats = await openai.embeddings.create({ ...params, encoding_format: "float" });
  assert.equal(got.data[1].embedding.length, 16);
  got.data[1].embedding.forEach((x, i) => assert.ok(Math.abs(x - floats.data[1].embedding[i]) < 1e-6));
});

test("messages, whole and streamed", async () => {
  const params = { model: "claude-mock", max_tokens: 100, messages: ask("hello") };
  for (const got of [await anthropic.messages.create(params), await anthropic.messages.stream(params).finalMessage()]) {
    assert.equal(got.content[0].text.length, 4 * tokens);
    assert.equal(got.usage.output_tokens, tokens);
    assert.equal(got.stop_reason, "end_turn");
  }
  assert.equal((await anthropic.messages.countTokens({ model: "claude-mock", messages: ask("12345678") })).input_tokens, 2);
});

test("messages with tools: the loop ends", async () => {
  const params = {
    model: "claude-mock", max_tokens: 100, messages: ask("the weather"), tools: [{ name: "get_weather", input_schema: schema }],
  };
  const whole = await anthropic.messages.create(params);
  const streamed = await anthropic.messages.stream(params).finalMessage();
  for (const got of [whole, streamed]) assert.deepEqual(got.content[0].input, { city: "mock" });
  const { id } = whole.content[0];
  const end = await anthropic.messages.create({
    ...params,
    messages: [...params.messages, { role: "assistant", content: whole.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "rain" }] }],
  });
  assert.equal(end.stop_reason, "end_turn");
});

test("models", async () => {
  for (const client of [openai, anthropic]) {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes("gpt-mock"));
    assert.equal((await client.models.retrieve("any")).id, "any");
  }
});

test("both recover from an injected 429 and from two 500 in a row", async () => {
  for (const call of [
    (text) => openai.chat.completions.create({ model: "gpt-mock", messages: ask(text) }),
    (text) => anthropic.messages.create({ model: "claude-mock", max_tokens: 100, messages: ask(text) }),
  ]) {
    assert.deepEqual(await counted(() => call("limited")), { calls: 1, attempts: 2, streams: 0 });
    assert.deepEqual(await counted(() => call("broken")), { calls: 1, attempts: 3, streams: 0 });
    assert.deepEqual(await counted(() => assert.rejects(call("overloaded"), { status: 529 })), { calls: 1, attempts: 3, streams: 0 });
  }
});
