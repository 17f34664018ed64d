"""TF-IDF with a linear support vector machine by scikit-learn; called by the example `clinc`.

    python clinc_peer.py TASK.json    TASK.json: {"texts", "labels", "queries", "timed"}; prints a JSON object for each setting
"""

import json
import statistics
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import LinearSVC


def words():
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")


def parts():
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)


SETTINGS = {
    "words and pairs": words,
    "words, pairs and parts": lambda: FeatureUnion([("words", words()), ("parts", parts())]),
}

if __name__ == "__main__":
    task = json.load(open(sys.argv[1]))
    for name, features in SETTINGS.items():
        start = time.perf_counter()
        model = make_pipeline(features(), LinearSVC(C=1)).fit(task["texts"], task["labels"])
        learned = time.perf_counter() - start
        single = []
        for query in task["timed"]:
            start = time.perf_counter()
            model.predict([query])
            single.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        labels = model.predict(task["queries"]).tolist()
        each = (time.perf_counter() - start) * 1e3 / len(labels)
        print(json.dumps({"name": name, "learned": learned, "single": statistics.median(single), "each": each,
                          "labels": labels}))
