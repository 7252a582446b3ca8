/** Times as people write them, in the language of the text around. */

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** The closest `lang` around an element, also outside of the components that it is part of. */
export function languageOf(element: Element): string | undefined {
  let at: Element | undefined = element;
  while (at !== undefined) {
    const lang = at.closest("[lang]")?.getAttribute("lang");
    if (lang) return lang;
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : undefined;
  }
  return undefined;
}

/** A time as date and time of day. */
export function absolute(time: Date, language: string | undefined): string {
  return format((language) => {
    return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(time);
  }, language);
}

/** A time as it is seen from now: `2 hours ago`. */
export function relative(time: Date, language: string | undefined): string {
  const seconds = Math.round((time.getTime() - Date.now()) / 1000);
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return format((language) => {
    const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    return format.format(Math.trunc(seconds / length), unit);
  }, language);
}

/** What is no language tag is the browser's language. */
function format(write: (language: string | undefined) => string, language: string | undefined): string {
  try {
    return write(language);
  } catch {
    return write(undefined);
  }
}
