/** What the package's declarations say, asked of the TypeScript compiler. */

import { fileURLToPath } from "node:url";
import ts from "typescript";

/** A document, and the type that it is to be of: an expression over what the package exports. */
export interface Sample {
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
}

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Not on disk. */
const SAMPLES = `${HERE}samples.ts`;

/**
 * What the compiler says of samples that are not of their types, by their names. As they are written out as
 * literals, a name that the type has not is a fault too.
 */
export function misfits(samples: readonly Sample[]): Map<string, string> {
  const lines = samples.map(({ type, value }, index) => `const v${index}: ${type} = ${literalOf(value)};`);
  const source = ['import type * as _ from "connector-vault";', ...lines, "export {};"].join("\n");
  const { program, file } = compile(source);
  const found = new Map<string, string>();
  for (const { start = 0, messageText } of program.getSemanticDiagnostics(file)) {
    const { line } = file.getLineAndCharacterOfPosition(start);
    const sample = samples[line - 1];
    const message = ts.flattenDiagnosticMessageText(messageText, "\n");
    if (sample === undefined) throw new Error(message);
    found.set(sample.name, message);
  }
  return found;
}

/** A value as TypeScript has it: JSON, and arrays of bytes, whose content has no type. */
function literalOf(value: unknown): string {
  if (value instanceof Uint8Array) return "new Uint8Array()";
  if (Array.isArray(value)) return `[${value.map(literalOf).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${literalOf(member)}`).join(",")}}`;
}

/** The properties of object types, each with the string literal that is its type, if it is one. */
export function propertiesOf(...types: readonly string[]): Record<string, string | undefined>[] {
  const aliases = types.map((type, index) => `export type T${index} = ${type};`);
  const { program, file } = compile(['import type * as _ from "connector-vault";', ...aliases].join("\n"));
  const [problem] = program.getSemanticDiagnostics(file);
  if (problem !== undefined) throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
  const checker = program.getTypeChecker();
  return file.statements.filter(ts.isTypeAliasDeclaration).map((alias) =>
    Object.fromEntries(
      checker
        .getTypeAtLocation(alias)
        .getProperties()
        .map((property) => {
          const its = checker.getTypeOfSymbol(property);
          return [property.name, its.isStringLiteral() ? its.value : undefined];
        }),
    ),
  );
}

function compile(source: string): { program: ts.Program; file: ts.SourceFile } {
  const config = ts.getParsedCommandLineOfConfigFile(
    `${HERE}tsconfig.json`,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
      },
    },
  );
  // Samples are there to be looked at, not to be used.
  const options = { ...config?.options, noUnusedLocals: false };
  const host = ts.createCompilerHost(options);
  const file = ts.createSourceFile(SAMPLES, source, {
    languageVersion: ts.ScriptTarget.ES2022,
    impliedNodeFormat: ts.ModuleKind.ESNext,
  });
  const fromDisk = host.getSourceFile.bind(host);
  host.getSourceFile = (path, ...rest) => (path === SAMPLES ? file : fromDisk(path, ...rest));
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (path) => path === SAMPLES || fileExists(path);
  return { program: ts.createProgram([SAMPLES], options, host), file };
}
