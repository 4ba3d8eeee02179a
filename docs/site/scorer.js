// Among pages that hold the words looked for, what a student reads stands before what instructors and authors read.
var Scorer = {
  score: ([page, , , , score]) => {
    if (page.startsWith("exercises/instructors/") || page === "CONTRIBUTING") return score - 8;
    if (page.startsWith("notebooks/")) return score + 2;
    if (page === "docs/settings" || page === "docs/faq") return score + 3;
    return page === "docs/functions" || page === "index" ? score - 2 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
