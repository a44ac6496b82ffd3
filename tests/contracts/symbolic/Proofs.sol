// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ISale} from "../../../contracts/src/interfaces/ISale.sol";
import {Steps} from "./Steps.sol";

/// @notice The rows of the table, each for every state, caller and second. A call that reverts changes nothing by
/// the rules of the machine itself, so each proof speaks of the calls that succeed.
abstract contract Proofs is Steps {
    /// @notice buy: from Listed only, for exactly the price; escrow is held, an instant price is with the seller.
    function check_buy(uint256 slot, uint256 balance, uint256 time, uint256 value) public {
        World memory was = _place(slot, balance, time);
        VM.assume(value < 2 ** 96);
        VM.deal(address(buyer), value);
        VM.prank(address(buyer));
        (bool done,) = address(sale).call{value: value}(abi.encodeCall(ISale.buy, ()));
        if (!done) return;
        World memory is_ = _world();
        assert(_status(was.slot) == LISTED && value == PRICE);
        assert(is_.slot == uint160(address(buyer)) | SOLD << 160 | (_window() == 0 ? 0 : time + _window()) << 192);
        assert(is_.balance == was.balance + (_window() == 0 ? 0 : PRICE));
        assert(is_.seller == was.seller + (_window() == 0 ? PRICE : 0));
    }

    /// @notice cancel: by the seller, from Listed, and no ether moves.
    function check_cancel(uint256 slot, uint256 balance, uint256 time, address caller) public {
        World memory was = _place(slot, balance, time);
        if (!_do(caller, abi.encodeCall(ISale.cancel, ()))) return;
        assert(caller == address(seller) && was.slot == 0);
        was.slot = CANCELLED << 160;
        assert(_same(_world(), was));
    }

    /// @notice revoke: by the buyer, while Sold; the attempt grows by one and nothing is carried.
    function check_revoke(uint256 slot, uint256 balance, uint256 time, address caller) public {
        World memory was = _place(slot, balance, time);
        if (!_do(caller, abi.encodeCall(ISale.revoke, ()))) return;
        assert(caller == address(buyer) && _status(was.slot) == SOLD);
        assert(_attempt(was.slot) < 2 ** 24 - 1025);
        was.slot += 1 << 168;
        assert(_same(_world(), was));
    }

    /// @notice release: while Sold, before expiry and deadline, by an active device of the site, with a signature
    /// over this very attempt; the attempt stays, so it is consumed with it.
    function check_release(
        uint256 slot,
        uint256 balance,
        uint256 time,
        address caller,
        address named,
        uint256 expiresAt,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) public {
        World memory was = _place(slot, balance, time);
        bytes memory call = abi.encodeCall(ISale.release, (named, expiresAt, abi.encodePacked(r, s, v)));
        bytes32 digest = _digest(named, _attempt(was.slot), expiresAt);
        if (!_do(caller, call)) return;
        World memory is_ = _world();
        assert(_status(was.slot) == SOLD && named == _buyer(was.slot));
        assert(time < expiresAt);
        assert(_window() == 0 || time < _refundableAt(was.slot));
        (uint256 id, uint256 site) = registry.activeDevice(caller);
        assert(id != 0 && site == 1);
        assert(is_.slot == _with(was.slot, RELEASING) | id << 232);
        was.slot = is_.slot;
        assert(_same(is_, was));
        assert(ecrecover(digest, v, r, s) == named || buyer.isValidSignature(digest, "") == bytes32(bytes4(0x1626ba7e)));
    }

    /// @notice complete: from Releasing, by whom the registry lets settle; the price goes to the seller once or waits.
    function check_complete(uint256 slot, uint256 balance, uint256 time, address caller) public {
        World memory was = _place(slot, balance, time);
        if (!_do(caller, abi.encodeCall(ISale.complete, ()))) return;
        World memory is_ = _world();
        assert(_status(was.slot) == RELEASING && registry.settles(0, caller));
        assert(is_.slot == _with(was.slot, RELEASED));
        uint256 paid = is_.seller - was.seller;
        assert(paid == 0 || (_window() != 0 && paid == PRICE));
        assert(is_.balance + paid == was.balance && is_.buyer == was.buyer);
    }

    /// @notice abort: from Releasing, by whom the registry lets settle; Sold again at the next attempt, no ether moves.
    function check_abort(uint256 slot, uint256 balance, uint256 time, address caller) public {
        World memory was = _place(slot, balance, time);
        if (!_do(caller, abi.encodeCall(ISale.abort, ()))) return;
        assert(_status(was.slot) == RELEASING && registry.settles(0, caller));
        assert(_attempt(was.slot) < 2 ** 24 - 1);
        was.slot = ((_with(was.slot, SOLD) << 24) >> 24) + (1 << 168);
        assert(_same(_world(), was));
    }

    /// @notice refund: escrow only; the seller while Sold, the buyer from his second on; the price goes to the buyer
    /// once or waits.
    function check_refund(uint256 slot, uint256 balance, uint256 time, address caller) public {
        World memory was = _place(slot, balance, time);
        if (!_do(caller, abi.encodeCall(ISale.refund, ()))) return;
        World memory is_ = _world();
        uint256 status = _status(was.slot);
        assert(_window() != 0 && (status == SOLD || status == RELEASING));
        bool bySeller = caller == address(seller) && status == SOLD;
        bool byBuyer = caller == address(buyer) && time >= _refundableAt(was.slot) + (status == RELEASING ? 7 days : 0);
        assert(bySeller || byBuyer);
        assert(is_.slot == _with(was.slot, REFUNDED));
        uint256 paid = is_.buyer - was.buyer;
        assert(paid == 0 || paid == PRICE);
        assert(is_.balance + paid == was.balance && is_.seller == was.seller);
    }

    /// @notice withdraw: the seller once Released, the buyer once Refunded, exactly the price, and the slot stays.
    function check_withdraw(uint256 slot, uint256 balance, uint256 time, address caller) public {
        World memory was = _place(slot, balance, time);
        address to = address(0x5afe);
        uint256 before = to.balance;
        if (!_do(caller, abi.encodeCall(ISale.withdraw, (to)))) return;
        World memory is_ = _world();
        uint256 status = _status(was.slot);
        assert(status == RELEASED || status == REFUNDED);
        assert(caller == (status == RELEASED ? address(seller) : address(buyer)));
        assert(_window() != 0 && was.balance >= PRICE);
        assert(to.balance == before + PRICE && is_.balance + PRICE == was.balance);
        assert(is_.slot == was.slot && is_.seller == was.seller && is_.buyer == was.buyer);
    }

    /// @notice After Released, Refunded or Cancelled nothing moves but by withdraw, whatever is called.
    function check_ended(uint256 slot, uint256 balance, uint256 time, address caller, bytes4 selector, bytes32 argument)
        public
    {
        World memory was = _place(slot, balance, time);
        uint256 status = _status(was.slot);
        VM.assume(status == RELEASED || status == REFUNDED || status == CANCELLED);
        VM.assume(selector != ISale.withdraw.selector && selector != ISale.release.selector);
        _do(caller, abi.encodePacked(selector, argument));
        assert(_same(_world(), was));
    }

    /// @notice No step leaves the states that the other proofs start from: escrow stays covered.
    function check_wellFormedStays(uint256 slot, uint256 balance, uint256 time, address caller, uint8 which) public {
        _place(slot, balance, time);
        bytes memory call = which == 0
            ? abi.encodeCall(ISale.cancel, ())
            : which == 1
                ? abi.encodeCall(ISale.revoke, ())
                : which == 2
                    ? abi.encodeCall(ISale.complete, ())
                    : which == 3
                        ? abi.encodeCall(ISale.abort, ())
                        : which == 4 ? abi.encodeCall(ISale.refund, ()) : abi.encodeCall(ISale.withdraw, (caller));
        if (!_do(caller, call)) return;
        World memory is_ = _world();
        if (_holds(is_.slot)) assert(is_.balance >= PRICE);
        if (_status(is_.slot) == SOLD) assert(_device(is_.slot) == 0 && _buyer(is_.slot) == address(buyer));
        assert(_status(is_.slot) != REFUNDED || _window() != 0);
    }

    /// @dev EIP-712 from its own words, not from the contract that is examined.
    function _digest(address named, uint256 attempt, uint256 expiresAt) private view returns (bytes32) {
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
        bytes32 pickup = keccak256(abi.encode(typehash, named, attempt, expiresAt));
        return keccak256(abi.encodePacked(hex"1901", domain, pickup));
    }

    function _do(address caller, bytes memory call) private returns (bool done) {
        VM.assume(caller != address(sale));
        VM.prank(caller);
        (done,) = address(sale).call(call);
    }
}

/// @notice With thirty days of escrow.
contract EscrowProofs is Proofs {
    function _window() internal pure override returns (uint256) {
        return 30 days;
    }
}

/// @notice Paid at once.
contract InstantProofs is Proofs {
    function _window() internal pure override returns (uint256) {
        return 0;
    }
}
