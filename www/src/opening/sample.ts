/** A vault to try things out: the documentation's connectors and a few more, whose secrets are plainly none. */

import { Vault, VaultError, type Action, type ConnectorsDocument } from "connector-vault";

import { core } from "../core.js";
import { browserPlace } from "../places/browser.js";
import type { Session } from "../session.js";
import { suggestedPassphrase } from "../ui/passphrase.js";

/** What is in it. Its first two are those of docs/action.md. */
export const SAMPLE: ConnectorsDocument = {
  connectors: [
    {
      id: "twitterConnectorId",
      name: "Twitter API",
      type: "Twitter",
      properties: {
        APIKey: "old_api_key_000",
        APISecret: "not-a-secret-2",
        Endpoint: "https://api.example/2",
      },
    },
    {
      id: "oauthConnectorId",
      name: "OAuth",
      type: "OAuth2",
      properties: {
        AccessToken: "sample-access-token",
        RefreshToken: "sample-refresh-token",
        ClientId: "sample-client",
      },
    },
    {
      id: "slackAlerts",
      name: "Slack alerts",
      type: "Slack",
      properties: {
        BotToken: "xoxb-sample-only",
        SigningSecret: "sample-signing-secret",
        Channel: "#alerts",
      },
    },
    {
      id: "ordersDatabase",
      name: "Orders database",
      type: "PostgreSQL",
      properties: {
        Host: "db.example",
        Port: "5432",
        Database: "orders",
        User: "workflow",
        Password: "sample-password",
        SSLMode: "verify-full",
      },
    },
    {
      id: "invoiceArchive",
      name: "Invoice archive",
      type: "S3",
      properties: {
        Bucket: "invoices-sample",
        Region: "eu-central-1",
        AccessKeyId: "AKIASAMPLEONLY",
        SecretAccessKey: "sample/secret/access/key",
      },
    },
    {
      id: "outgoingMail",
      name: "Outgoing mail",
      type: "SMTP",
      properties: {
        Host: "mail.example",
        Port: "587",
        User: "workflow@mail.example",
        Password: "sample-mail-password",
      },
    },
  ],
};

/** So that there is a history. */
const ROTATION: Action = {
  ActionType: "Connectors.Update",
  Parameters: {
    EntryId: "slackAlerts",
    Properties: [{ PropertyName: "SigningSecret", PropertyValue: "sample-signing-secret-2" }],
  },
};

/** An open sample, and the passphrase that was made for it. */
export interface Sample {
  readonly session: Session;
  readonly passphrase: string;
}

/** Makes a sample in this browser, beside those that are there. */
export async function createSample(signal: AbortSignal): Promise<Sample> {
  await core();
  const passphrase = suggestedPassphrase();
  for (let number = 1; ; number++) {
    const place = browserPlace(number === 1 ? "sample" : `sample ${number}`);
    try {
      const vault = await Vault.create(place.storage, { label: "me", passphrase, signal });
      await vault.import(SAMPLE, { note: "sample" });
      await vault.run(ROTATION, { note: "monthly rotation" });
      return { session: { vault, place }, passphrase };
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== "file_exists") throw error;
    }
  }
}
