import { people, whole } from "../ui/words";
import type { Preview, StageEffect } from "./types";

/** Whether a stage counts other people, or the same ones at other instants. */
export function isAffected(stage: StageEffect): boolean {
  return stage.change !== "KEPT" || stage.gained + stage.lost + stage.moved > 0;
}

/** What a preview found, a sentence for every stage that it affects. */
export function effectSentences(preview: Preview): string[] {
  const affected = preview.stages.filter(isAffected);
  if (affected.length === 0) {
    return ["Nobody would have been counted differently in this period."];
  }
  return affected.map(stageSentence);
}

/** What happens to one stage: the people before and after, and how they differ. */
export function stageSentence(stage: StageEffect): string {
  if (stage.change === "ADDED") {
    return `${stage.title}: a new stage with ${people(stage.countAfter ?? 0)}.`;
  }
  if (stage.change === "REMOVED") {
    return `${stage.title}: removed; it had ${people(stage.countBefore ?? 0)}.`;
  }
  const parts = [
    stage.gained > 0 && `${whole(stage.gained)} gained`,
    stage.lost > 0 && `${whole(stage.lost)} lost`,
    stage.moved > 0 && `${whole(stage.moved)} at another time`,
  ].filter((part) => part !== false);
  return `${stage.title}: ${people(stage.countAfter ?? 0)} instead of ${whole(stage.countBefore ?? 0)} (${parts.join(", ")}).`;
}
