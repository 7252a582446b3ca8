/** What is copied or read as one line has a line end that is not meant; text of several lines is meant as it is. */
export function withoutLineEnd(text: string): string {
  const end = text.endsWith("\r\n") ? 2 : text.endsWith("\n") ? 1 : 0;
  const line = text.slice(0, text.length - end);
  return line.includes("\n") || line.includes("\r") ? text : line;
}
