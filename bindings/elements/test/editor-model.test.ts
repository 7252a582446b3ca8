/** What the editor edits, without a page: the action, the draft, and what is pasted. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { before, describe, test } from "node:test";

import { ready, tokensOf } from "connector-vault";

import { problemsIn } from "../src/editor/check.js";
import { readDotenv } from "../src/editor/dotenv.js";
import { Draft } from "../src/editor/draft.js";
import { actionOf, modelOf, type Row, type UpdateModel } from "../src/editor/model.js";
import { isPlain, readPasted } from "../src/editor/paste.js";
import { matchingTokens, tokenAt, tokenText } from "../src/tokens.js";

before(() => ready());

const row = (name: string, value: string | null): Row => ({ name, value });
const model = (rows: Row[], json = "", entryId = "x"): UpdateModel => ({ entryId, rows, json });
const update = (parameters: string): string =>
  `{"ActionType":"Connectors.Update","Parameters":${parameters}}`;

describe("the action", () => {
  const documents: readonly (readonly [what: string, model: UpdateModel, parameters: object])[] = [
    ["only the id", model([]), { EntryId: "x" }],
    ["nothing at all", model([], "", ""), { EntryId: "" }],
    [
      "everything",
      model([row("APIKey", "k"), row("", ""), row("APIKey", "l")], '{ "a": 1.0 }'),
      {
        EntryId: "x",
        Properties: [
          { PropertyName: "APIKey", PropertyValue: "k" },
          { PropertyName: "", PropertyValue: "" },
          { PropertyName: "APIKey", PropertyValue: "l" },
        ],
        PropertiesJson: '{ "a": 1.0 }',
      },
    ],
    [
      "null",
      model([row("Old", null)]),
      { EntryId: "x", Properties: [{ PropertyName: "Old", PropertyValue: null }] },
    ],
  ];
  for (const [what, model, Parameters] of documents) {
    test(`of ${what} is written and read again`, () => {
      const text = actionOf(model);
      assert.deepEqual(JSON.parse(text), { ActionType: "Connectors.Update", Parameters });
      assert.ok(text.startsWith('{\n  "ActionType"'), "two spaces");
      assert.deepEqual(modelOf(text), model);
    });
  }

  const wrapped = (value: unknown) => ({ Expression: "", Value: value, IsExpression: false, Parameters: {} });

  test("is read behind a byte order mark", () => {
    assert.deepEqual(modelOf(`\ufeff${update('{"EntryId":"x"}')}`), model([]));
  });

  test("is read out of a designer's wrappers", () => {
    const text = JSON.stringify({
      ActionType: "Connectors.Update",
      Parameters: {
        EntryId: wrapped("x"),
        Properties: wrapped([{ PropertyName: wrapped("a"), PropertyValue: wrapped("[b]") }]),
        PropertiesJson: { ...wrapped("{}"), Expression: "off" },
      },
    });
    assert.deepEqual(modelOf(text), model([row("a", "[b]")], "{}"));
  });

  test("keeps numbers as they are written, and booleans", () => {
    const cells = ["1.0", "-2.50e+10", "12345678901234567890", "true", '"5"', '"\\"7,8\\""'];
    const rows = cells.map((cell) => `{"PropertyName":"a","PropertyValue":${cell}}`);
    const read = modelOf(update(`{"EntryId":"x","Properties":[${rows.join()}]}`));
    assert.deepEqual(
      read.rows.map(({ value }) => value),
      ["1.0", "-2.50e+10", "12345678901234567890", "true", "5", '"7,8"'],
    );
  });

  const refused: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ["another action", '{"ActionType":"CredStore.DeleteEntry","Parameters":{"EntryId":"x"}}', /DeleteEntry/],
    ["what is no JSON", '{"s3cret', /^the action is not JSON$/],
    ["an array", "[]", /not an object/],
    ["a further parameter", update('{"EntryId":"x","Note":"n"}'), /further field "Note"/],
    ["an expression", update('{"EntryId":{"IsExpression":true,"Value":"x"}}'), /EntryId is an expression/],
    ["a number as an id", update('{"EntryId":5}'), /EntryId is not text/],
    ["a raw object as JSON", update('{"EntryId":"x","PropertiesJson":{}}'), /PropertiesJson is not text/],
    [
      "an object as a value",
      update('{"EntryId":"x","Properties":[{"PropertyName":"a","PropertyValue":{}}]}'),
      /row 1/,
    ],
    [
      "a row without a value",
      update('{"EntryId":"x","Properties":[{"PropertyName":"a"}]}'),
      /no PropertyValue/,
    ],
  ];
  for (const [what, text, message] of refused) {
    test(`is not read from ${what}`, () => assert.throws(() => modelOf(text), { message }));
  }

  test("means the same to the core as the document that it was read from", () => {
    const folder = new URL("../../../tests/vectors/", import.meta.url);
    let read = 0;
    for (const part of ["action/", "token/"]) {
      for (const file of readdirSync(new URL(part, folder))) {
        const vector = JSON.parse(readFileSync(new URL(part + file, folder), "utf8")) as {
          readonly action?: object;
          readonly action_text?: string;
        };
        const text = vector.action_text ?? JSON.stringify(vector.action);
        if (!text.includes("Connectors.Update")) continue;
        const expected = answerOf(text);
        if ("error" in expected) continue;
        const model = modelUnlessRefused(text, file);
        if (model === undefined) continue;
        assert.deepEqual(answerOf(actionOf(model)), expected, file);
        read++;
      }
    }
    assert.ok(read > 100, `${read} vectors`);
  });

  /** The model, if the form can show the action. It cannot show a batch or the editor's own fields. */
  function modelUnlessRefused(text: string, file: string): UpdateModel | undefined {
    try {
      return modelOf(text);
    } catch (error) {
      assert.match(String(error), /this form is for Connectors\.Update|has a further field/, file);
      return undefined;
    }
  }

  function answerOf(text: string): object {
    try {
      return tokensOf(text);
    } catch (error) {
      return { error };
    }
  }
});

describe("the check", () => {
  const check = (model: UpdateModel) =>
    problemsIn(model).map(({ code, place: { parameter, row, line, column } = {} }) => [
      code,
      parameter,
      row ?? (line === undefined ? undefined : `${line}:${column}`),
    ]);

  test("finds nothing in what the core takes", () => {
    assert.deepEqual(check(model([row("a", "[Secrets:Key]"), row("a", "")], '{ "b": [Flow:B] }')), []);
  });

  test("finds what is wrong at each place, in the order of the document", () => {
    const rows = [row("a", "1"), row("", "2"), row("b", "[x|no placeholder]"), row("", "")];
    assert.deepEqual(check(model(rows, '{\n  "a": 1,\n}', "")), [
      ["missing_parameter", "EntryId", undefined],
      ["empty_property_name", "Properties", 2],
      ["empty_property_name", "Properties", 4],
      ["invalid_json", "PropertiesJson", "3:1"],
      ["invalid_token_format", "Properties", 3],
    ]);
  });
});

describe("the draft", () => {
  const draftOf = (...names: string[]): Draft => {
    const draft = new Draft();
    draft.load(model(names.map((name) => row(name, name.toLowerCase()))));
    return draft;
  };
  const names = (draft: Draft): string => draft.rows.map(({ name }) => name || "-").join(" ");
  const key = (draft: Draft, index: number): number => draft.rows[index]?.key ?? -1;

  test("ends with one empty row, which is no part of the model", () => {
    const draft = draftOf("A");
    assert.equal(names(draft), "A -");
    assert.deepEqual(draft.model.rows, [row("A", "a")]);
    const empty = key(draft, 1);
    draft.write(empty, "value", "b");
    assert.deepEqual(draft.model.rows, [row("A", "a"), row("", "b")]);
    draft.write(empty, "value", "");
    assert.equal(names(draft), "A -");
    assert.equal(key(draft, 1), empty, "the user is still in the same row");
  });

  test("moves rows, but not behind the empty one", () => {
    const draft = draftOf("A", "B", "C");
    assert.ok(draft.move(key(draft, 0), 2));
    assert.equal(names(draft), "B C A -");
    for (const [from, to] of [
      [0, -1],
      [2, 3],
      [3, 0],
      [1, 1],
    ] as const) {
      assert.ok(!draft.move(key(draft, from), to), `${from} to ${to}`);
    }
    assert.equal(names(draft), "B C A -");
  });

  test("takes rows in place of an empty row, or behind another", () => {
    const draft = draftOf("A", "B");
    draft.insert([row("C", ""), row("D", "")], key(draft, 0));
    assert.equal(names(draft), "A C D B -");
    draft.insert([row("E", ""), row("F", "")], key(draft, 4));
    assert.equal(names(draft), "A C D B E F -");
  });

  test("undoes steps, and typing in one cell as one step", () => {
    const draft = draftOf("A", "B");
    const first = key(draft, 0);
    draft.write(first, "value", "x", 0);
    draft.write(first, "value", "xy", 500);
    draft.write(first, "value", "xyz", 5000);
    draft.remove(key(draft, 1));
    draft.insert([row("C", "c")], key(draft, 1));
    const values = (): string => draft.model.rows.map(({ name, value }) => `${name}=${value}`).join(" ");
    const seen = [values()];
    while (draft.undo()) seen.push(values());
    assert.deepEqual(seen, ["A=xyz C=c", "A=xyz", "A=xyz B=b", "A=xy B=b", "A=a B=b"]);
    while (draft.redo());
    assert.equal(values(), "A=xyz C=c");
  });

  test("remembers nothing of another model", () => {
    const draft = draftOf("A");
    draft.remove(key(draft, 0));
    draft.load(model([]));
    assert.ok(!draft.undo() && !draft.redo());
  });
});

describe("a .env file", () => {
  const check = (text: string, ...expected: (readonly [string, string])[]) =>
    assert.deepEqual(
      readDotenv(text),
      expected.map(([name, value]) => row(name, value)),
    );

  test("has names and values, comments and empty lines", () => {
    check("\ufeff# keys\r\nA=1\r\n\r\n  B = two words \n", ["A", "1"], ["B", "two words"]);
    check("export A=1\nexport\tB.c-d=", ["A", "1"], ["B.c-d", ""]);
    check("exported=1", ["exported", "1"]);
    check("A=b#c # comment\nB=# comment", ["A", "b#c"], ["B", ""]);
    check("A=b=c==\nB=${A}", ["A", "b=c=="], ["B", "${A}"]);
  });

  test("has quoted values, also of several lines", () => {
    check(`A='a # b\\n' # c\nB="a\\tb\\n\\"c\\" \\\\ \\$"`, ["A", "a # b\\n"], ["B", 'a\tb\n"c" \\ $']);
    check(
      'KEY="-----BEGIN-----\nabc\n-----END-----"\nB=`\'"`',
      ["KEY", "-----BEGIN-----\nabc\n-----END-----"],
      ["B", `'"`],
    );
  });

  for (const text of [
    "",
    "# only a comment",
    "A=1\njust text",
    "1A=2",
    'A="open',
    'A="a" b',
    "A\tB=c",
    "A\t=b",
    "=1",
  ]) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(readDotenv(text), undefined));
  }
});

describe("what is pasted", () => {
  const check = async (text: string, expected: unknown) => assert.deepEqual(await readPasted(text), expected);
  const spreadsheet = (...rows: Row[]) => ({ kind: "rows", from: "spreadsheet", rows });
  const cell = (text: string) => ({ kind: "cell", text });

  test("from a spreadsheet has two columns", async () => {
    await check("A\t1\r\nB\t\r\n", spreadsheet(row("A", "1"), row("B", "")));
    await check("A\t1", spreadsheet(row("A", "1")));
    await check("A\t1\t\t\nB\t2", spreadsheet(row("A", "1"), row("B", "2")));
    await check("A\t=b", spreadsheet(row("A", "=b")));
  });

  test("from a spreadsheet has quoted cells, with ends of lines and tabs", async () => {
    await check(
      'Key\t"a\nb"\nQuote\t"say ""x"""\nTab\t"a\tb"\n',
      spreadsheet(row("Key", "a\nb"), row("Quote", 'say "x"'), row("Tab", "a\tb")),
    );
  });

  test("has columns by its header row", async () => {
    await check("PropertyName\tPropertyValue\nA\t1", spreadsheet(row("A", "1")));
    await check("Owner\tVALUE\tName\nada\t1\tA\nada\t2\tB", spreadsheet(row("A", "1"), row("B", "2")));
  });

  test("is refused if nobody knows which columns", async () => {
    await check("A\t1\tada\nB\t2\t", { kind: "table", columns: 3 });
  });

  test("from a .env file comes before a table", async () => {
    await check("A=1\t# tab\nB=2", { kind: "rows", from: "env", rows: [row("A", "1"), row("B", "2")] });
  });

  for (const text of [
    "-----BEGIN KEY-----\nMIIE\nabc=\n-----END KEY-----\n",
    '{\n\t"a": 1\n}',
    '"a',
    '"a\nb" c\n"d',
  ]) {
    test(`is one cell otherwise: ${JSON.stringify(text)}`, () => check(text, cell(text)));
  }

  test("is one cell as spreadsheets copy it, without the end of its line", async () => {
    await check("abc=def \r\n", cell("abc=def "));
    await check('"line 1\nsay ""x"""\r\n', cell('line 1\nsay "x"'));
    await check("\ts3cret\n", cell("\ts3cret"));
    await check("s3cret\n\n", cell("s3cret\n\n"));
    await check("\ns3cret\n", cell("\ns3cret\n"));
    assert.ok(isPlain("A=1") && !isPlain("A=1\n") && !isPlain("a\tb"));
  });
});

describe("a token that is written", () => {
  /** `^` is the caret. */
  const write = (text: string, name: string): string | undefined => {
    const caret = text.indexOf("^");
    const whole = text.replace("^", "");
    const beginning = tokenAt(whole, caret);
    if (beginning === undefined) return undefined;
    return whole.slice(0, beginning.from) + tokenText({ name }, beginning) + whole.slice(beginning.to);
  };

  const cases: readonly (readonly [string, string | undefined])[] = [
    ["[^", "[N:a]"],
    ["a [Sec^ b", "a [N:a] b"],
    ["[Sec^]", "[N:a]"],
    ["[Se^crets:Key] x", "[N:a] x"],
    ["[Sec^=default]", "[N:a=default]"],
    ["[Sec^(env=prod)]", "[N:a(env=prod)]"],
    ["[a=[^", "[a=[N:a]"],
    ["[a]^", undefined],
    ['["a^', undefined],
    ["[a=b^", undefined],
    ["a^", undefined],
  ];
  for (const [text, expected] of cases) {
    test(`${text} becomes ${expected ?? "nothing"}`, () => assert.equal(write(text, "N:a"), expected));
  }

  test("is found by its beginning first, then by its middle and its description", () => {
    const tokens = [
      { name: "Flow:Key", description: "x" },
      { name: "Key" },
      { name: "B", description: "a key" },
      { name: "C" },
    ];
    assert.deepEqual(
      matchingTokens(tokens, "kEy").map(({ name }) => name),
      ["Key", "Flow:Key", "B"],
    );
    assert.equal(matchingTokens(tokens, "").length, 4);
  });
});
