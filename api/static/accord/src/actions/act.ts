import type { CombinedError, TypedDocumentNode } from "urql";
import { client } from "../client";
import type { UserErrorCode } from "../generated/graphql";

export interface UserError {
  path: string[];
  code: UserErrorCode;
  message: string;
}

interface Payload {
  accord: { version: number } | null;
  userErrors: UserError[];
}

/** How an action ended: done if it has neither an error nor user errors. */
export interface Outcome {
  version: number | null;
  userErrors: UserError[];
  error: CombinedError | undefined;
}

/** Run the mutation of an action. Everything that the server says about it is in the outcome. */
export async function act<Input>(
  document: TypedDocumentNode<Record<string, Payload | null>, { input: Input }>,
  input: Input,
): Promise<Outcome> {
  const { data, error } = await client.mutation(document, { input }).toPromise();
  const payload = data ? Object.values(data)[0] : undefined;
  return { version: payload?.accord?.version ?? null, userErrors: payload?.userErrors ?? [], error };
}

/** Whether an action was carried out. */
export function isDone(outcome: Outcome): boolean {
  return outcome.error === undefined && outcome.userErrors.length === 0;
}
