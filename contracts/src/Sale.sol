// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IDeviceRegistry} from "./interfaces/IDeviceRegistry.sol";
import {ISale} from "./interfaces/ISale.sol";
import {Domain} from "./types/Domain.sol";
import {Packed, SaleState, State} from "./types/SaleState.sol";
import {Signature} from "./types/Signature.sol";
import {Status} from "./types/Status.sol";
import {Terms} from "./types/Terms.sol";

/// @title The implementation of which every sale is a clone
/// @notice The terms stand in the clone's code, what changes in slot 0.
contract Sale is ISale {
    bytes32 private constant PICKUP_TYPEHASH = keccak256("Pickup(address buyer,uint256 attempt,uint256 expiresAt)");

    /// @dev A week after the deadline in which device or operator may still settle what is Releasing.
    uint256 private constant GRACE = 7 days;

    /// @dev `revoke` stops here and leaves `abort` a thousand attempts.
    uint256 private constant LAST_REVOKED = State.LAST_ATTEMPT - 1024;

    /// @dev What a receiver may burn while it is paid out.
    uint256 private constant PAYOUT_GAS = 50_000;

    /// @dev With so much, the call's own dearest cost included, a receiver has got all of `PAYOUT_GAS`:
    /// cold account 2,600, value 9,000, new account 25,000, and EIP-150 keeps back a 64th.
    uint256 private constant PAYOUT_GAS_REQUIRED = PAYOUT_GAS * 64 / 63 + 36_700;

    IDeviceRegistry private immutable REGISTRY;

    SaleState private _state;

    /// @param registry_ Whose devices may release.
    constructor(IDeviceRegistry registry_) {
        REGISTRY = registry_;
        // Nobody can buy the implementation itself.
        _state.status = Status.Cancelled;
    }

    /// @dev Ether without a call belongs to nobody.
    receive() external payable {
        revert EtherRefused(msg.sender, msg.value);
    }

    /// @inheritdoc ISale
    function buy() external payable {
        // Check:
        Packed state = _load();
        if (!state.isIn(Status.Listed)) revert NotListed(state.status());
        (uint256 first, uint256 second) = Terms.numbers();
        if (msg.value != Terms.price(first)) revert WrongPrice(msg.value, Terms.price(first));

        // Effect:
        uint256 window_ = Terms.window(second);
        _store(State.sold(msg.sender, window_ == 0 ? 0 : SafeCast.toUint40(block.timestamp + window_)));
        emit Sold(msg.sender, msg.value);

        // Interaction:
        if (window_ == 0) _send(Terms.seller(first), msg.value);
    }

    /// @inheritdoc ISale
    function cancel() external {
        // Check:
        Packed state = _load();
        if (!state.isIn(Status.Listed)) revert NotListed(state.status());
        (uint256 first,) = Terms.numbers();
        if (msg.sender != Terms.seller(first)) revert NotSeller(msg.sender, Terms.seller(first));

        // Effect:
        _store(state.withStatus(Status.Cancelled));
        emit Cancelled();
    }

    /// @inheritdoc ISale
    function revoke() external {
        Packed state = _load();

        // Check:
        if (!state.isIn(Status.Sold)) revert NotSold(state.status());
        if (msg.sender != state.buyer()) revert NotBuyer(msg.sender, state.buyer());
        if (state.attempt() >= LAST_REVOKED) revert AttemptsExhausted(state.attempt());

        // Effect:
        _store(state.revoked());
        emit Revoked(msg.sender, state.attempt() + 1);
    }

    /// @inheritdoc ISale
    function release(address buyer_, uint256 expiresAt, bytes calldata signature) external {
        Packed state = _load();

        // Check:
        if (!state.isIn(Status.Sold)) revert NotSold(state.status());
        if (buyer_ != state.buyer()) revert WrongBuyer(buyer_, state.buyer());
        if (block.timestamp >= expiresAt) revert VoucherExpired(expiresAt, block.timestamp);
        if (state.refundableAt() != 0 && block.timestamp >= state.refundableAt()) {
            revert DeadlinePassed(state.refundableAt(), block.timestamp);
        }
        uint256 id = _deviceOfThisSite();
        if (!Signature.isValid(buyer_, _digest(buyer_, state.attempt(), expiresAt), signature)) {
            revert InvalidVoucher(buyer_, state.attempt(), expiresAt);
        }

        // Effect:
        _store(state.released(SafeCast.toUint24(id)));
        emit Releasing(buyer_, id, state.attempt());
    }

    /// @inheritdoc ISale
    function complete() external {
        Packed state = _load();

        // Check:
        _checkSettler(state);

        // Effect:
        _store(state.withStatus(Status.Released));
        emit Released(state.device());

        // Interaction:
        if (state.refundableAt() != 0) {
            (uint256 first,) = Terms.numbers();
            _payOut(Terms.seller(first), Terms.price(first));
        }
    }

    /// @inheritdoc ISale
    function abort() external {
        Packed state = _load();

        // Check:
        _checkSettler(state);
        if (state.attempt() == State.LAST_ATTEMPT) revert AttemptsExhausted(state.attempt());

        // Effect:
        _store(state.aborted());
        emit Aborted(state.device(), state.attempt() + 1);
    }

    /// @inheritdoc ISale
    function refund() external {
        Packed state = _load();
        (uint256 first,) = Terms.numbers();

        // Check:
        _checkRefund(state, Terms.seller(first));

        // Effect:
        _store(state.withStatus(Status.Refunded));
        emit Refunded(state.buyer(), Terms.price(first));

        // Interaction:
        _payOut(state.buyer(), Terms.price(first));
    }

    /// @inheritdoc ISale
    function withdraw(address to) external {
        Packed state = _load();
        (uint256 first,) = Terms.numbers();
        uint256 amount = Terms.price(first);

        // Check:
        if (state.isIn(Status.Released)) {
            if (msg.sender != Terms.seller(first)) revert NotSeller(msg.sender, Terms.seller(first));
        } else if (state.isIn(Status.Refunded)) {
            if (msg.sender != state.buyer()) revert NotBuyer(msg.sender, state.buyer());
        }
        // A payout that was delivered left less than the price; an instant sale never held it.
        bool over = state.isIn(Status.Released) || state.isIn(Status.Refunded);
        if (!over || state.refundableAt() == 0 || address(this).balance < amount) {
            revert NothingToWithdraw(state.status(), address(this).balance);
        }

        // Effect:
        emit Withdrawn(to, amount);

        // Interaction:
        _send(to, amount);
    }

    /// @inheritdoc ISale
    function status() external view returns (Status) {
        return _load().status();
    }

    /// @inheritdoc ISale
    function isSold() external view returns (bool) {
        return _isSold();
    }

    /// @inheritdoc ISale
    function verifyOwnership(address buyer_) external view returns (bool) {
        return _load().isOwnedBy(buyer_);
    }

    /// @inheritdoc ISale
    function getItem()
        external
        view
        returns (
            string memory make,
            string memory model,
            uint256 year,
            uint256 price,
            bool sold,
            address owner,
            address buyer
        )
    {
        (uint256 first, uint256 second) = Terms.numbers();
        make = Terms.make(second);
        model = Terms.model(second);
        year = Terms.year(second);
        price = Terms.price(first);
        sold = _isSold();
        owner = Terms.seller(first);
        buyer = _load().buyer();
    }

    /// @inheritdoc ISale
    function number() external view returns (string memory) {
        (, uint256 second) = Terms.numbers();
        return Terms.number(second);
    }

    /// @inheritdoc ISale
    function site() external view returns (uint256) {
        return _site();
    }

    /// @inheritdoc ISale
    function edition() external view returns (uint256) {
        (, uint256 second) = Terms.numbers();
        return Terms.edition(second);
    }

    /// @inheritdoc ISale
    function window() external view returns (uint256) {
        (, uint256 second) = Terms.numbers();
        return Terms.window(second);
    }

    /// @inheritdoc ISale
    function attempt() external view returns (uint256) {
        return _load().attempt();
    }

    /// @inheritdoc ISale
    function refundableAt() external view returns (uint256) {
        return _load().refundableAt();
    }

    /// @inheritdoc ISale
    function device() external view returns (uint256) {
        return _load().device();
    }

    /// @inheritdoc ISale
    function voucherDigest(uint256 expiresAt) external view returns (bytes32) {
        Packed state = _load();
        return _digest(state.buyer(), state.attempt(), expiresAt);
    }

    /// @inheritdoc ISale
    function registry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @dev The caller's device id, when it may release here.
    function _deviceOfThisSite() private view returns (uint256 id) {
        uint256 deviceSite;
        (id, deviceSite) = REGISTRY.activeDevice(msg.sender);
        if (id == 0) revert DeviceNotActive(msg.sender);
        uint256 site_ = _site();
        if (deviceSite != site_) revert WrongSite(deviceSite, site_);
    }

    function _checkSettler(Packed state) private view {
        if (!state.isIn(Status.Releasing)) revert NotReleasing(state.status());
        if (!REGISTRY.settles(state.device(), msg.sender)) revert NotSettler(msg.sender, state.device());
    }

    function _checkRefund(Packed state, address seller) private view {
        if (!state.isIn(Status.Sold) && !state.isIn(Status.Releasing)) revert NotRefundable(state.status());
        if (state.refundableAt() == 0) revert NoEscrow();
        if (msg.sender == seller && state.isIn(Status.Sold)) return;
        if (msg.sender != state.buyer()) {
            // A door may be opening: the seller must not race it.
            if (msg.sender == seller) revert NotRefundable(state.status());
            revert NotParty(msg.sender);
        }
        uint256 from = state.refundableAt() + (state.isIn(Status.Releasing) ? GRACE : 0);
        if (block.timestamp < from) revert RefundTooEarly(from, block.timestamp);
    }

    function _isSold() private view returns (bool) {
        Packed state = _load();
        return state.isIn(Status.Sold) || state.isIn(Status.Releasing) || state.isIn(Status.Released);
    }

    function _load() private view returns (Packed state) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            state := sload(_state.slot)
        }
    }

    function _store(Packed state) private {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            sstore(_state.slot, state)
        }
    }

    function _site() private view returns (uint256) {
        (, uint256 second) = Terms.numbers();
        return Terms.site(second);
    }

    /// @dev OpenZeppelin's `EIP712` would declare two strings in storage, and slot 0 is the only one here.
    function _digest(address buyer_, uint256 attempt_, uint256 expiresAt) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            Domain.separator(), keccak256(abi.encode(PICKUP_TYPEHASH, buyer_, attempt_, expiresAt))
        );
    }

    /// @dev Pays without trusting the receiver: what it refuses waits for `withdraw`.
    function _payOut(address to, uint256 amount) private {
        uint256 available = gasleft();
        if (_call(to, amount, PAYOUT_GAS)) return;
        // Otherwise whoever calls with little gas could make a good receiver fail.
        if (available < PAYOUT_GAS_REQUIRED) revert GasTooLow(available, PAYOUT_GAS_REQUIRED);
        emit Undelivered(to, amount);
    }

    function _send(address to, uint256 amount) private {
        if (!_call(to, amount, gasleft())) revert PayoutRefused(to, amount);
    }

    /// @dev Copies no answer, which OpenZeppelin's `Address` does: a receiver could make it expensive.
    function _call(address to, uint256 amount, uint256 gasLimit) private returns (bool success) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            success := call(gasLimit, to, amount, 0, 0, 0, 0)
        }
    }
}
