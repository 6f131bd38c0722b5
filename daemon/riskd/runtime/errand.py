"""One thread for one feed, so that a source that hangs is left behind and never asked twice at once."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a question came to: its value, or the error that it raised."""

    value: T | None
    error: Exception | None


class Errand(Generic[T]):
    """Questions to one source, one at a time, in a thread of their own that keeps nobody from stopping.

    ``out``: a question has been asked and its answer not been taken.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._questions: queue.SimpleQueue[Callable[[], T]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer[T]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.out = False

    def ask(self, question: Callable[[], T], within: float) -> Answer[T] | None:
        """The answer, waited for at most ``within`` seconds; None if it stays out: :meth:`answer` has it when it comes."""
        if self.out:
            raise RuntimeError(f"{self._name} was asked again before it answered")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self.out = True
        self._questions.put(question)
        return self.answer(within)

    def answer(self, within: float = 0.0) -> Answer[T] | None:
        """The answer that is out, None if it has not come."""
        try:
            answer = self._answers.get(block=within > 0, timeout=within)
        except queue.Empty:
            return None
        self.out = False
        return answer

    def _run(self) -> None:
        while True:
            question = self._questions.get()
            try:
                answer = Answer(question(), None)
            except Exception as error:  # whoever asked decides what it means
                answer = Answer(None, error)
            self._answers.put(answer)
