// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../../contracts/src/interfaces/ISale.sol";
import {Item} from "../../../../contracts/src/types/Item.sol";
import {Status} from "../../../../contracts/src/types/Status.sol";
import {Fixture} from "../base/Fixture.sol";
import {Wallet} from "../base/Wallet.sol";
import {ReferenceRegistry} from "../reference/ReferenceRegistry.sol";
import {ReferenceSale} from "../reference/ReferenceSale.sol";

/// @notice Ten actors who do anything at any time to four sales, and the reference that is told the same.
/// After every step both must agree, and what the step did must be allowed by the table.
contract Market is Fixture {
    uint256 private constant SALES = 4;
    uint256 private constant STEP_MAX = 8 days;

    /// @param payee Whom the rules let this pay; 0 if nobody.
    struct Move {
        string action;
        uint256 saleSeed;
        address actor;
        uint256 value;
        bytes call;
        address payee;
    }

    ISale[] public sales;
    ReferenceSale[] public references;
    ReferenceRegistry public referenceRegistry;

    address[] private _actors;
    uint256[] private _buyerKeys;
    uint256[] private _deviceKeys; // by id - 1
    address[] private _deviceAccounts;
    Wallet private _wallet;
    mapping(address account => uint256 key) private _keys;

    /// @notice Ether sent in by `buy`, and what came out, by sale, as the accounts' balances say.
    mapping(ISale sale => uint256) public paidIn;
    mapping(ISale sale => uint256) public paidOut;
    mapping(ISale sale => uint256) public forced;
    mapping(ISale sale => mapping(uint256 attempt => uint256)) public consumed;
    mapping(ISale sale => bool) public everReleased;
    mapping(ISale sale => bool) public everRefunded;
    uint256 public mostConsumed;
    mapping(string action => uint256) public done;
    mapping(string action => uint256) public tried;

    constructor() {
        setUp();
        referenceRegistry = new ReferenceRegistry();
        referenceRegistry.provision(deviceId, site, OPERATOR, device, until);
        _deviceKeys.push(DEVICE_KEY);
        _deviceAccounts.push(device);
        VM.prank(OPERATOR);
        uint256 other = registry.openSite("Gate 2");
        _addDevice(site, 0xd2);
        _addDevice(other, 0xd3);
        _wallet = new Wallet();
        _wallet.sign(abi.encode(bytes4(0x1626ba7e)));
        _buyerKeys = [BUYER_KEY, 0xb0b2];
        for (uint256 i = 0; i < _buyerKeys.length; ++i) {
            _keys[VM.addr(_buyerKeys[i])] = _buyerKeys[i];
            _actors.push(VM.addr(_buyerKeys[i]));
        }
        _actors.push(SELLER);
        _actors.push(address(_wallet));
        _actors.push(OPERATOR);
        _actors.push(ADMIN);
        _actors.push(STRANGER);
        for (uint256 i = 0; i < _actors.length; ++i) {
            VM.deal(_actors[i], 10_000 ether);
        }
        for (uint256 i = 0; i < SALES; ++i) {
            _open(i, i % 2 == 0 ? WINDOW : 0, i < 2 ? SELLER : address(_wallet));
        }
    }

    function buy(uint256 saleSeed, uint256 who, uint256 off) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        address actor = _actor(who);
        uint256 value = off % 8 == 0 ? PRICE + off % 3 - 1 : PRICE;
        bool expected = twin.buy(actor, value, _refuses(twin.SELLER()));
        _step(Move("buy", saleSeed, actor, value, abi.encodeCall(ISale.buy, ()), twin.SELLER()), expected);
    }

    function cancel(uint256 saleSeed, uint256 who) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        // A market where half the goods are taken back is a poor test of the rest.
        address actor = who % 4 == 0 ? twin.SELLER() : _actor(who);
        if (actor == twin.SELLER() && who % 4 != 0) return;
        _step(Move("cancel", saleSeed, actor, 0, abi.encodeCall(ISale.cancel, ()), address(0)), twin.cancel(actor));
    }

    function revoke(uint256 saleSeed, uint256 who) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        address actor = who % 2 == 0 ? twin.buyer() : _actor(who);
        _step(Move("revoke", saleSeed, actor, 0, abi.encodeCall(ISale.revoke, ()), address(0)), twin.revoke(actor));
    }

    function release(uint256 saleSeed, uint256 deviceSeed, uint256 how, uint256 life) external {
        (ISale sale, ReferenceSale twin) = _pick(saleSeed);
        // A key of the past, a buyer, the operator: whoever tries, the reference looks for the id.
        address actor = how % 16 == 15 ? _actor(deviceSeed) : _deviceAccounts[deviceSeed % _deviceAccounts.length];
        uint256 expiresAt = block.timestamp + life % 40 days;
        (bytes memory signature, bool signed) = _voucherFor(sale, twin, how, expiresAt);
        bool expected = twin.release(actor, _idOf(actor), expiresAt, signed);
        if (expected) {
            uint256 times = ++consumed[sale][twin.attempt()];
            if (times > mostConsumed) mostConsumed = times;
        }
        bytes memory call = abi.encodeCall(ISale.release, (twin.buyer(), expiresAt, signature));
        _step(Move("release", saleSeed, actor, 0, call, address(0)), expected);
    }

    function complete(uint256 saleSeed, uint256 who) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        address actor = _settler(twin, who);
        bool expected = twin.complete(actor, _refuses(twin.SELLER()));
        _step(Move("complete", saleSeed, actor, 0, abi.encodeCall(ISale.complete, ()), twin.SELLER()), expected);
    }

    function abort(uint256 saleSeed, uint256 who) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        address actor = _settler(twin, who);
        _step(Move("abort", saleSeed, actor, 0, abi.encodeCall(ISale.abort, ()), address(0)), twin.abort(actor));
    }

    function refund(uint256 saleSeed, uint256 who) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        // The seller may at any time while Sold, so not as often as the others try.
        address actor = who % 8 == 0 ? twin.SELLER() : who % 2 == 0 ? twin.buyer() : _actor(who);
        if (actor == twin.SELLER() && who % 8 != 0) return;
        bool expected = twin.refund(actor, _refuses(twin.buyer()));
        if (expected && actor != twin.buyer()) ++done["refund by the seller"];
        _step(Move("refund", saleSeed, actor, 0, abi.encodeCall(ISale.refund, ()), twin.buyer()), expected);
    }

    function withdraw(uint256 saleSeed, uint256 who, uint256 where) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        address actor = who % 3 == 0 ? twin.buyer() : who % 3 == 1 ? twin.SELLER() : _actor(who);
        address to = _actor(where);
        bool expected = twin.withdraw(actor, _refuses(to));
        _step(Move("withdraw", saleSeed, actor, 0, abi.encodeCall(ISale.withdraw, (to)), to), expected);
    }

    /// @notice Time moves: a little, a lot, or to the very second that matters, or one before it.
    function wait_(uint256 saleSeed, uint256 how) external {
        (, ReferenceSale twin) = _pick(saleSeed);
        uint256 time = block.timestamp + how % STEP_MAX;
        if (how % 4 == 0 && twin.refundableAt() != 0) {
            uint256 deadline = twin.refundableAt() + (how % 3 == 0 ? 7 days : 0) - how % 2;
            if (deadline > block.timestamp) time = deadline;
        }
        VM.warp(time);
    }

    /// @notice The wallet, which sells and buys, changes its mind about ether.
    function turn(uint256 how) external {
        _wallet.behave(how % 2 == 0 ? Wallet.Mode.Accept : how % 4 == 1 ? Wallet.Mode.Refuse : Wallet.Mode.Bomb);
    }

    /// @notice Somebody's self-destruct leaves ether that nobody asked for, less than a price.
    function force(uint256 saleSeed, uint256 amount) external {
        (ISale sale, ReferenceSale twin) = _pick(saleSeed);
        amount %= 1 ether;
        if (forced[sale] + amount >= twin.PRICE()) return;
        VM.deal(address(sale), address(sale).balance + amount);
        forced[sale] += amount;
    }

    /// @notice Devices come, are renewed and go.
    function operate(uint256 deviceSeed, uint256 how) external {
        uint256 id = 1 + deviceSeed % _deviceKeys.length;
        if (referenceRegistry.decommissioned(id)) return;
        if (how % 16 == 0 && _deviceKeys.length < 12) {
            uint256 at = referenceRegistry.site(id);
            _decommission(id);
            referenceRegistry.decommission(id);
            _addDevice(at, 0xd00 + _deviceKeys.length);
        } else if (how % 16 < 6) {
            _renew(id, how % 16 == 1 ? 0xe00 + deviceSeed % 1000 + id * 1000 : _deviceKeys[id - 1], how);
        }
    }

    /// @notice Sold out, cancelled or done: the same place in the market is filled again.
    function restock(uint256 saleSeed) external {
        uint256 place = saleSeed % SALES;
        Status status = references[place].status();
        if (status == Status.Listed || status == Status.Sold || status == Status.Releasing) return;
        if (references[place].held() != 0) return;
        _open(place, place % 2 == 0 ? WINDOW : 0, place < 2 ? SELLER : address(_wallet));
    }

    function count() external view returns (uint256) {
        return sales.length;
    }

    function _step(Move memory move, bool expected) private {
        (ISale sale, ReferenceSale twin) = _pick(move.saleSeed);
        uint256 slot = uint256(VM.load(address(sale), 0));
        if (move.value != 0) VM.deal(move.actor, move.value);
        uint256 before = address(sale).balance;
        uint256[] memory had = _balances();
        VM.prank(move.actor);
        (bool success, bytes memory answer) = address(sale).call{value: move.value, gas: 1_000_000}(move.call);
        VM.assertEq(success ? 1 : 0, expected ? 1 : 0, string.concat(move.action, ": the rules say otherwise"));
        ++tried[move.action];
        if (success) {
            ++done[move.action];
            _account(sale, before, move, had);
            _checkMove(move.action, slot, uint256(VM.load(address(sale), 0)));
        } else {
            VM.assertGe(answer.length, 4, "every refusal is a custom error");
            VM.assertEq(slot, uint256(VM.load(address(sale), 0)), "a refusal changes nothing");
            VM.assertEq(before, address(sale).balance, "a refusal moves nothing");
        }
        _agree(sale, twin);
    }

    /// @dev Contract and reference, every fact in its place in the slot, and every wei.
    function _agree(ISale sale, ReferenceSale twin) private view {
        uint256 slot = twin.device() << 232 | twin.refundableAt() << 192 | twin.attempt() << 168
            | uint256(twin.status()) << 160 | uint160(twin.buyer());
        VM.assertEq(uint256(VM.load(address(sale), 0)), slot, "facts");
        VM.assertEq(address(sale).balance, twin.held() + forced[sale], "balance");
        VM.assertEq(paidOut[sale], twin.paidToSeller() + twin.paidToBuyer(), "paid out");
    }

    /// @dev What left the sale is with whom the rules name, and nobody else has more or less.
    function _account(ISale sale, uint256 before, Move memory move, uint256[] memory had) private {
        uint256 out = before + move.value - address(sale).balance;
        uint256[] memory has = _balances();
        for (uint256 i = 0; i < has.length; ++i) {
            address account = _accountAt(i);
            uint256 due = had[i] + (account == move.payee ? out : 0) - (account == move.actor ? move.value : 0);
            VM.assertEq(has[i], due, string.concat(move.action, ": whom it pays"));
        }
        VM.assertTrue(out == 0 || move.payee != address(0), "paid to nobody known");
        paidIn[sale] += move.value;
        paidOut[sale] += out;
        Status status = sale.status();
        if (status == Status.Released) everReleased[sale] = true;
        if (status == Status.Refunded) everRefunded[sale] = true;
    }

    function _balances() private view returns (uint256[] memory balances) {
        balances = new uint256[](_actors.length + _deviceAccounts.length);
        for (uint256 i = 0; i < balances.length; ++i) {
            balances[i] = _accountAt(i).balance;
        }
    }

    function _accountAt(uint256 index) private view returns (address) {
        return index < _actors.length ? _actors[index] : _deviceAccounts[index - _actors.length];
    }

    /// @dev The table, from the slot alone: nothing else moves, and nothing moves that the action does not own.
    function _checkMove(string memory action, uint256 from, uint256 to) private pure {
        bytes32 what = keccak256(bytes(action));
        uint256 was = uint8(from >> 160);
        uint256 is_ = uint8(to >> 160);
        uint256 moved = was << 8 | is_;
        if (what == keccak256("buy")) VM.assertEq(moved, 0x0001, "Listed to Sold");
        if (what == keccak256("cancel")) VM.assertEq(moved, 0x0004, "Listed to Cancelled");
        if (what == keccak256("revoke")) VM.assertEq(to, from + (1 << 168), "the attempt, by one");
        if (what == keccak256("release")) VM.assertEq(to << 24, (from + (1 << 160)) << 24, "Sold to Releasing");
        if (what == keccak256("complete")) VM.assertEq(to, from + (1 << 160), "Releasing to Released");
        if (what == keccak256("abort")) {
            VM.assertEq(to, ((from << 24) >> 24) - (1 << 160) + (1 << 168), "Releasing to Sold");
        }
        if (what == keccak256("refund")) {
            VM.assertTrue(was == 1 || was == 2, "from Sold or Releasing");
            VM.assertEq(to, (from & ~(uint256(0xff) << 160)) | 5 << 160, "to Refunded");
        }
        if (what == keccak256("withdraw")) VM.assertEq(to, from, "nothing");
    }

    function _open(uint256 place, uint256 window, address seller) private {
        Item memory item = _item(window);
        item.edition = sales.length;
        VM.prank(seller);
        ISale sale = ISale(factory.createSale(item));
        ReferenceSale twin = new ReferenceSale(referenceRegistry, seller, PRICE, window, site);
        if (sales.length < SALES) {
            sales.push(sale);
            references.push(twin);
        } else {
            // Those that ended stay under watch.
            sales.push(sales[place]);
            references.push(references[place]);
            (sales[place], references[place]) = (sale, twin);
        }
    }

    function _addDevice(uint256 at, uint256 key) private {
        uint256 id = _provision(at, key, block.timestamp + 400 days);
        referenceRegistry.provision(id, at, OPERATOR, VM.addr(key), block.timestamp + 400 days);
        _deviceKeys.push(key);
        _deviceAccounts.push(VM.addr(key));
    }

    function _renew(uint256 id, uint256 key, uint256 how) private {
        uint256 until_ = block.timestamp + 1 + how % 60 days;
        bytes memory consent = _consent(id, referenceRegistry.site(id), key, until_);
        VM.prank(OPERATOR);
        registry.rotate(id, VM.addr(key), until_, CERTIFICATE, consent);
        referenceRegistry.rotate(id, VM.addr(key), until_);
        _deviceKeys[id - 1] = key;
        _deviceAccounts[id - 1] = VM.addr(key);
    }

    function _pick(uint256 seed) private view returns (ISale, ReferenceSale) {
        return (sales[seed % SALES], references[seed % SALES]);
    }

    function _actor(uint256 seed) private view returns (address) {
        return _accountAt(seed % (_actors.length + _deviceKeys.length));
    }

    /// @dev Of the buyer for the present attempt; sometimes of an older one, sometimes somebody else's.
    /// The wallet's answer is yes to everything.
    function _voucherFor(ISale sale, ReferenceSale twin, uint256 how, uint256 expiresAt)
        private
        view
        returns (bytes memory signature, bool signed)
    {
        address signer = twin.buyer();
        uint256 attempt = twin.attempt();
        if (how % 8 == 7 && attempt > 0) --attempt;
        uint256 key = how % 8 == 6 || _keys[signer] == 0 ? 0x57a4 : _keys[signer];
        signature = _sign(key, _digestOf(sale, signer, attempt, expiresAt));
        signed = signer == address(_wallet) || (key == _keys[signer] && attempt == twin.attempt());
    }

    function _idOf(address account) private view returns (uint256) {
        for (uint256 i = 0; i < _deviceAccounts.length; ++i) {
            if (_deviceAccounts[i] == account) return i + 1;
        }
        return 0;
    }

    function _settler(ReferenceSale twin, uint256 who) private view returns (address) {
        uint256 id = twin.device();
        if (who % 4 == 0 || id == 0) return _actor(who);
        return who % 4 == 1 ? referenceRegistry.operator(id) : referenceRegistry.account(id);
    }

    function _refuses(address account) private view returns (bool) {
        return account == address(_wallet) && _wallet.mode() != Wallet.Mode.Accept;
    }

    function _digestOf(ISale sale, address signer, uint256 attempt, uint256 expiresAt) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Lading"),
                keccak256("1"),
                block.chainid,
                address(sale)
            )
        );
        bytes32 typehash = keccak256("Pickup(address buyer,uint256 attempt,uint256 expiresAt)");
        bytes32 pickup = keccak256(abi.encode(typehash, signer, attempt, expiresAt));
        return keccak256(abi.encodePacked(hex"1901", domain, pickup));
    }
}
