"""PHP: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = r"""
<?php
namespace App\Http;

use App\Models\User;
use App\Models\{Post, Comment as Note};
use function App\Support\helper;
require_once __DIR__ . '/boot.php';

/**
 * Shows users.
 *
 * @package App
 */
#[Route('/users')]
abstract class UserController extends Base\Controller implements \JsonSerializable, Routable
{
    use Loggable, Mixins\Cached { log as protected; }

    public const MAX = 1, MIN = 2;
    private ?Repository $repository = null;
    protected static int $count = 0;

    public function __construct(private readonly Mailer $mailer, int $limit)
    {
        parent::__construct($limit);
        $this->repository = new Repository();
    }

    /** Shows one user. */
    public function show(Request $request, User|null $user): ?Response
    {
        $this->check($request);
        $this->mailer->send($user);
        $this->repository->find($request->id());
        $post = new Post($request);
        $post?->publish();
        self::count();
        static::make();
        User::find(1);
        \App\Models\Tag::all();
        helper($request);
        \App\Support\other();
        $anonymous = new class extends Handler { public function handle() { run(); } };
        return array_map(fn(int $n) => $n, []);
    }

    abstract protected function größe(): int;
    private function check(Request $request): void {}
    public static function count(): int { return self::$count; }
}

interface Routable extends Named, Linked { public function route(): string; }
trait Loggable { public function log() { write(); } }
enum Suit: string implements HasLabel
{
    case Hearts = 'H';
    case Spades = 'S';
    const Wild = self::Spades;
    public function label(): string { return ucfirst($this->value); }
}

/** Opens it. */
function open(string ...$names) { return new UserController(...$names); }
const VERSION = '1';
define('DEBUG', false);
""".lstrip()


@pytest.fixture(scope="module")
def found() -> Report:
    return report("php", "src/Http/UserController.php", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class UserController 9-50
constant UserController.MAX 19-19
constant UserController.MIN 19-19
field UserController.repository 20-20
field UserController.count 21-21
method UserController.__construct 23-27
field UserController.__construct.mailer 23-23
method UserController.show 29-45
method UserController.show.handle 43-43
method UserController.größe 47-47
method UserController.check 48-48
method UserController.count 49-49
interface Routable 52-52
method Routable.route 52-52
trait Loggable 53-53
method Loggable.log 53-53
enum Suit 54-60
constant Suit.Hearts 56-56
constant Suit.Spades 57-57
constant Suit.Wild 58-58
method Suit.label 59-59
function open 62-63
constant VERSION 64-64
constant DEBUG 65-65
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["UserController"].signature == (
        "#[Route('/users')] abstract class UserController extends Base\\Controller implements "
        "\\JsonSerializable, Routable"
    )
    assert found.symbols["UserController.show"].signature == (
        "public function show(Request $request, User|null $user): ?Response"
    )
    assert found.symbols["UserController.repository"].signature == "private ?Repository $repository = null"
    assert found.symbols["Suit"].signature == "enum Suit: string implements HasLabel"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["UserController"].doc == "Shows users.\n\n@package App"
    assert found.symbols["UserController.show"].doc == "Shows one user."
    assert found.symbols["open"].doc == "Opens it."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == r"""
parent __construct
Repository
$this check
$this->mailer send
$this->repository find
$request id
Post
$post publish
self count
static make
User find
\App\Models\Tag all
helper
App\Support other
run
array_map
write
ucfirst
UserController
""".lstrip()
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Base Controller
JsonSerializable
Routable
Loggable
Mixins Cached
Named
Linked
HasLabel
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == r"""
App\Models User
App\Models Post
App\Models Comment Note
App\Support helper
/boot.php *
""".lstrip()
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
repository: Repository
mailer: Mailer
$this->repository: Repository
$request: Request
$post: Post
$request: Request
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports Note Models/ Comment",
        "UserController inherits Loggable = Loggable",
        "UserController.__construct calls __construct ^ UserController __construct",
        "UserController.show calls check = UserController.check",
        "UserController.show calls count = UserController.count",
        "UserController.show calls publish Models/ Post.publish",
        "UserController.show calls helper Support/ helper",
        "open calls UserController = UserController",
    } <= set(found.edges.splitlines())
