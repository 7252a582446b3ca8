/** What a field holds that is both written in and chosen for: a value, and what is being typed. */

/** Knows no element, no vault and no event. */
export class Entry {
  #value = "";
  /** The value as the host knows it. */
  #settled = "";
  #typed: string | undefined;
  #isUnmatched = false;

  get value(): string {
    return this.#value;
  }

  /** What the user has typed, until it has become a value. */
  get typed(): string | undefined {
    return this.#typed;
  }

  /** Whether what is typed is left there though it can be no value. */
  get isUnmatched(): boolean {
    return this.#isUnmatched;
  }

  /** The host says what the value is. */
  set(value: string): void {
    this.choose(value);
    this.#settled = value;
  }

  /** The user types: what can only be searched for is no value yet. */
  type(text: string, isValue: boolean): void {
    this.#typed = text;
    this.#isUnmatched = false;
    if (isValue) this.#value = text.trim();
  }

  /** The user chooses. */
  choose(value: string): void {
    this.#typed = undefined;
    this.#isUnmatched = false;
    this.#value = value;
  }

  /** What was typed can be no value. It stays to be mended, as in a browser's own field for dates. */
  refuse(): void {
    this.#isUnmatched = true;
    this.#value = "";
  }

  /** Drops what was typed, not what it has become. */
  forget(): void {
    this.choose(this.#value);
  }

  /** Drops what was typed and what came of it. */
  revert(): void {
    this.choose(this.#settled);
  }

  /** The user is done: whether the value is another one than the host knew. */
  settle(): boolean {
    const isOther = this.#value !== this.#settled;
    this.#settled = this.#value;
    return isOther;
  }
}
